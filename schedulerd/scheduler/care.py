"""Care for what goes on: runs are launched, looked after when nothing is heard of them, and ended; room is made for them."""

import errno
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import Result
from schedulerd.domain.runs import Run
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.parts import Parts
from schedulerd.scheduler.reconciling import attempt_of

log = logging.getLogger(__name__)


class Care:
    """What the core does about attempts in its turns. All but `look_around` may raise `StoreUnavailable`."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Final = parts

    def look_around(self) -> None:
        """What needs no database, so that it is done while there is none."""
        monotonic = self._parts.clock.monotonic()
        self._parts.space.look(monotonic)
        self._parts.starting.look()
        self._parts.spawners.look(monotonic)

    def launch(self, claimed: Iterable[Run], known: Mapping[RunKey, Sequence[Result]]) -> None:
        """Have each of these runs started, with what is known by their keys of earlier attempts."""
        for run in claimed:
            self._launch(run, known.get(run.key, ()))

    def _launch(self, run: Run, known: Sequence[Result]) -> None:
        parts = self._parts
        attempt = attempt_of(run, parts.definitions.flows, parts.launcher.usual)
        parts.attempts.add(attempt)
        try:
            parts.launcher.prepare(run, parts.definitions.flows[run.flow_key], known)
        except OSError as error:  # no room on the disk, say; the sweep prepares it again
            self._folders_failed(error)
            return
        parts.launcher.ask(attempt)

    def end(self, *, all_of_them: bool) -> None:
        """Go on with what is to end: runs cancelled or out of time, or all of them."""
        if all_of_them:
            self._parts.ender.tell_all()
        self._parts.ender.end_runs(now=self._parts.clock.monotonic())

    def call_hooks(self) -> None:
        """Go on with the hooks of runs that have ended."""
        try:
            self._parts.hooks.look()
        except OSError as error:
            self._folders_failed(error)

    def sweep(self, *, may_have_wishes: bool, ends_all: bool) -> bool:
        """What no message is needed for: journals that grew unheard, runs nobody answers for, wishes, endings.

        True when a place may have become free by it.
        """
        parts, now = self._parts, self._parts.clock.now()
        for attempt in parts.attempts:
            if attempt.ours or attempt.adopted:
                parts.intake.note(attempt.folder)
            else:
                self._look_at(attempt)
        granted = may_have_wishes and parts.ender.grant_wishes(now=now)
        if granted:
            parts.hooks.want()
        if ends_all:
            parts.ender.record_all(now=now)
        self.end(all_of_them=ends_all)
        parts.reconciler.sweep_cgroups()
        return granted

    def reconcile(self) -> None:
        """Bring what is believed of live runs in line with the database, the disk and the processes."""
        parts = self._parts
        parts.reconciler.follow_live_runs(parts.definitions.flows)
        for attempt in parts.attempts:
            self._look_at(attempt)
        parts.hooks.want()
        parts.reconciler.reap_orphans(parts.hooks.attempts)

    def _look_at(self, attempt: Attempt) -> None:
        try:
            if self._parts.reconciler.look_at(attempt, self._parts.definitions.flows):
                self._parts.intake.note(attempt.folder)
        except OSError as error:
            self._folders_failed(error)
        except LookupError as error:
            # border: one run that cannot be seen to keeps no other from it
            log.warning("run_not_seen_to", extra={"run": attempt.selector, "reason": repr(error)})

    def _folders_failed(self, error: OSError) -> None:
        self._parts.starting.failed(
            TroubleKind.FOLDERS, f"the folder of a run cannot be made or read: {error}"
        )
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            self._parts.space.relieve()
