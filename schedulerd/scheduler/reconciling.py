"""Brings what the core believes of its live runs in line with the database, the disk and the processes."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final, assert_never

from schedulerd.clock import Clock
from schedulerd.domain.flows import Flow, FlowKind
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.retrying import NEVER
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.leftovers import Leftovers
from schedulerd.engine.processes import is_alive, reap_strangers
from schedulerd.scheduler.attempts import Attempt, Attempts, Letter
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.launching import Launcher, Usual
from schedulerd.scheduler.recovery import Remedy, remedy
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_ACTOR: Final = "recovery"


class Reconciler:
    """Looks after attempts of which nothing is heard: asks again, adopts, settles, or records them as lost."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        folders: RunFolders,
        launcher: Launcher,
        follower: Follower,
        leftovers: Leftovers,
        *,
        clock: Clock,
        agent: str,
        settled: Callable[[Attempt], None],
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._folders = folders
        self._launcher = launcher
        self._follower = follower
        self._leftovers = leftovers
        self._clock = clock
        self._agent = agent
        self._settled = settled

    def follow_live_runs(self, flows: Mapping[FlowKey, Flow]) -> None:
        """Follow every live run that the database knows for this agent, as the database knows it.

        A commit that seemed to fail may have been one: a claim that was made, a cancellation that was granted.
        """
        with self._database.read() as tx:
            live = tx.runs.live(self._agent)
        for run in live:
            known = self._attempts.get(run.folder)
            if known is None:
                self._attempts.add(attempt_of(run, flows, self._launcher.usual))
            elif known.position == run.position:
                known.state = run.state

    def sweep_folders(self, kept: Collection[str] = ()) -> None:
        """Remove what settled runs and interrupted inspections left; for the start, before anything is prepared.

        Those of `kept` are left to who knows them.
        """
        self._folders.sweep()
        for key in self._folders.names().difference(kept):
            if self._attempts.get(key) is None and not self._lives(key):
                self._folders.remove(key)
        self.sweep_cgroups()

    def sweep_cgroups(self) -> None:
        """Remove the empty cgroups of runs whose folders are gone; what such a run was to leave may end at any time."""
        self._leftovers.sweep(self._folders.names())

    def _lives(self, key: str) -> bool:
        """Is somebody still at work in this folder? Of another database, perhaps: not ours to remove."""
        process = self._folders.facts(key).process
        return process is not None and is_alive(process)

    def look_at(self, attempt: Attempt, flows: Mapping[FlowKey, Flow]) -> bool:
        """Do the one right thing about an attempt; True when it is now ready to be read to its end."""
        facts = self._folders.facts(attempt.folder)
        wanted = remedy(self._follower.scene(attempt, facts))
        match wanted:
            case Remedy.WAIT:
                return False
            case Remedy.ASK:
                self._launcher.ask(attempt)
            case Remedy.WITHDRAW:
                self._withdraw(attempt)
            case Remedy.PREPARE:
                self._prepare_again(attempt, flows)
            case Remedy.GIVE_UP:
                self._folders.give_up(attempt.folder)
            case Remedy.ADOPT:
                self._follower.adopt(attempt, facts)
            case Remedy.SETTLE:
                attempt.dead = attempt.dead or self._follower.is_over(attempt, facts)
                return attempt.dead
            case Remedy.LOST:
                self._lose(attempt)
            case _:
                assert_never(wanted)
        return False

    def reap_orphans(self, others: Iterable[Attempt] = ()) -> None:
        """Wait for what runs left behind and what came to this process, but for the runs themselves, and for these others."""
        reap_strangers({attempt.pid for attempt in (*self._attempts, *others) if attempt.pid is not None})

    def _withdraw(self, attempt: Attempt) -> None:
        """Take the latch ourselves: whoever comes later finds nothing to start."""
        folder = self._folders.take(attempt.folder)
        if folder is not None:
            os.close(folder)
            self._folders.give_up(attempt.folder)
            self._end_without_process(attempt, RunState.CANCELLED, "cancelled before it started")

    def _prepare_again(self, attempt: Attempt, flows: Mapping[FlowKey, Flow]) -> None:
        with self._database.read() as tx:
            run = tx.runs.to_prepare(attempt.run)
            known = tx.results.of_tasks(run.key) if run.attempt > 1 else []
        self._folders.remove(attempt.folder)
        attempt.ours, attempt.pid = False, None
        self._launcher.prepare(run, flows[run.flow_key], known)
        self._launcher.ask(attempt)
        log.info("run_prepared_again", extra={"run": attempt.selector})

    def _lose(self, attempt: Attempt) -> None:
        restarted = attempt.boot_id != self._follower.boot_id
        reason = "machine restarted" if restarted else "its folder is gone; exit status unknown"
        to = RunState.CANCELLED if attempt.state is RunState.CANCELLING else RunState.CRASHED
        again = attempt.retrying.after(attempt.number, to)
        if again is not None and attempt.state is RunState.RUNNING:
            reason = attempt.retrying.reason(attempt.number, timedelta(), to, reason)
            to = RunState.RETRYING  # at once: what it waited for was the machine
        log.warning("run_lost", extra={"run": attempt.selector, "reason": reason})
        self._end_without_process(attempt, to, reason)

    def _end_without_process(self, attempt: Attempt, to: RunState, reason: str) -> None:
        now = self._clock.now()
        with self._database.write() as tx:
            tx.runs.move(attempt.run, to, at=now, actor=_ACTOR, message=reason, reason=reason)
        self._attempts.remove(attempt)
        self._folders.remove(attempt.folder)
        if to is not RunState.RETRYING:
            self._settled(attempt)


def attempt_of(run: Run, flows: Mapping[FlowKey, Flow], usual: Usual) -> Attempt:
    """The attempt of a run, with what its flow and the settings say of its kind and limits."""
    flow = flows.get(run.flow_key)
    return Attempt.of(
        run,
        kind=flow.definition.kind if flow is not None else FlowKind.PYTHON,
        retrying=NEVER if flow is None else flow.definition.retrying,
        timeout=usual.timeout_of(None if flow is None else flow.definition),
        surroundings=usual.surroundings_of(None if flow is None else flow.definition),
        letter=_letter(run, flow),
    )


def _letter(run: Run, flow: Flow | None) -> Letter | None:
    to = flow.definition.mail_to if flow is not None else None
    if flow is None or to is None:
        return None
    return Letter(run=run.key, to=to, command=flow.definition.command, file=flow.definition.file)
