"""Brings the database in line with what the files say."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.definitions import Resolved
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowKind
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.notices import Happening, NoticeKind
from schedulerd.domain.schedules import FileAppears, ScheduleDefinition
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.enforcing import Enforcer
from schedulerd.scheduler.found import Found
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.known_flows import KnownFlows
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.scheduler.rollout import Rollout
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.scheduler.standing import Change
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_MOST_FIRST: Final = 2_000  # in the first part, since they belong to the flows, or have causes


class Definitions:
    """What the files say, as far as it is known, and whether the database says so too."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        runs: RunMaker,
        troubles: ScheduleTroubles,
        *,
        boot_id: str,
        look_for: Callable[[Iterable[FileAppears]], None] = lambda _: None,
    ) -> None:
        """`look_for` is told of the files that schedules in force wait for."""
        self.flows: Final = KnownFlows(database)
        self._database: Final = database
        self._clock: Final = clock
        self._troubles: Final = troubles
        self._enforcer: Final = Enforcer(runs, troubles, boot_id=boot_id)
        self._look_for: Final = look_for
        self._found: Final = Found()
        self._rollout: Final = Rollout(database, clock, self._enforcer, self.flows)
        self._applied: Mapping[str, FileDefinition] = {}
        self._applied_errors: Mapping[str, Failure] = {}

    def load(self, tx: Transaction) -> None:
        """Begin with what the database remembers: it is in force until the files have been read, and where they are
        broken, beyond that."""
        flows = tx.flows.all(removed=True, kind=FlowKind.PYTHON)
        self.flows.know(flows)
        self._applied_errors = {error.file: error.error for error in tx.flows.errors()}
        self._found.remember(flows, self._applied_errors)
        self._rollout.load(tx)
        self._applied = dict(self._found.files)

    def changed(self, change: DefinitionsChanged) -> None:
        """Take note of what the folders hold now."""
        self._found.changed(change)

    def inspected(self, found: Inspected) -> None:
        """Take note of what a file defines; one that cannot be taken keeps its last good version."""
        self._found.inspected(found)

    @property
    def is_applied(self) -> bool:
        """Does the database say all that the files are known to say?"""
        return self._found.is_read and not self._found.is_new and not self.is_behind

    @property
    def is_behind(self) -> bool:
        """Is there more to write, that nothing has to be waited for?"""
        return self._rollout.is_under_way or self._found.is_resolving

    @property
    def problem_count(self) -> int:
        """How many files have something wrong with them."""
        return len(self._applied_errors)

    def apply(self) -> bool:
        """Write what changed, in one transaction, or of very much a part; was there anything?

        A schedule that cannot be written is refused, and keeps back no other. Raises `StoreUnavailable`, and what writing the
        flows met with; then nothing was written, and the next call tries again.
        """
        if not self._found.is_read:
            return False
        if self._found.is_new:
            self._begin()
            return True
        was_under_way = self._rollout.is_under_way
        self._rollout.go_on()
        return was_under_way

    def _begin(self) -> None:
        """Write all but schedules that come, and the first of these."""
        resolved = self._found.resolve_some()
        if resolved is None:
            return
        try:
            self._begin_with(resolved)
        except StoreUnavailable:
            raise
        except Exception:  # border: one schedule of the first part must not stop all the rest
            log.exception("part_failed", extra={"schedules": "of the first part"})
            self._begin_with(resolved, has_first=False)

    def _begin_with(self, resolved: Resolved, *, has_first: bool = True) -> None:
        errors, change = self._found.errors(resolved), self._rollout.change_to(resolved.schedules)
        first = self._first(resolved, change) if has_first else None
        now = self._clock.now()
        with self._database.write() as tx:
            self._put_flows(tx, resolved, errors, change.gone, now=now)
            stage = self._rollout.put_first(tx, change, first, now=now)
            self._put_errors(tx, errors, now=now)
            flows = tx.flows.all(removed=True, kind=FlowKind.PYTHON)
        self.flows.know(flows)
        self._applied, self._applied_errors = {file.file: file for file in resolved.files}, errors
        self._rollout.begun(stage)
        self._troubles.keep_only(self._rollout.has)
        self._look_for(resolved.awaited)
        self._found.is_new = False

    def _first(self, resolved: Resolved, change: Change) -> Sequence[ScheduleDefinition]:
        """What must not come later than what is looked for, and than the flows: a cause that nobody waits for is lost, and what
        is given to a flow fits it as it is now. Where these are very many, they come in parts as others do."""
        caused = [one for one in resolved.caused if one.name in change.names]
        flows_before = [flow for file in self._applied.values() for flow in file.flows]
        flows_now = [flow for file in resolved.files for flow in file.flows]
        belonging = change.belonging(flows_before, flows_now)
        first = {one.name: one for one in islice(chain(caused, belonging), _MOST_FIRST + 1)}
        return caused[:_MOST_FIRST] if len(first) > _MOST_FIRST else tuple(first.values())

    def _put_flows(
        self,
        tx: Transaction,
        resolved: Resolved,
        errors: Mapping[str, Failure],
        gone: Iterable[str],
        *,
        now: datetime,
    ) -> None:
        self._enforcer.remove(tx, gone, now=now)
        released = self._release(tx, resolved, now=now)
        for file in resolved.files:
            mended = file.file in self._applied_errors and file.file not in errors
            if mended or file.file in released or self._applied.get(file.file) != file:
                tx.flows.put_file(file, now=now)

    def _release(self, tx: Transaction, resolved: Resolved, *, now: datetime) -> set[str]:
        """Free the names of flows that are held by others now; the files that this touched."""
        held = {flow.name: flow.file for file in resolved.files for flow in file.flows}
        tx.flows.remove_commands(list(held), now=now)
        released = set()
        for flow in tx.flows.all(kind=FlowKind.PYTHON):
            name, file = flow.definition.name, flow.definition.file
            if held.get(name) != file:
                tx.flows.remove_file(file, now=now)
                released.add(file)
        return released

    def _put_errors(self, tx: Transaction, errors: Mapping[str, Failure], *, now: datetime) -> None:
        for file, failure in errors.items():
            if self._applied_errors.get(file) != failure:
                log.warning("definition_refused", extra={"file": file, "reason": failure.message})
                tx.notices.tell([_happening(tx, NoticeKind.BROKEN, file, _words(failure), now=now)])
            tx.flows.set_file_error(file, failure, now=now)
        for file in set(self._applied_errors) - set(errors):
            log.info("definition_mended", extra={"file": file})
            tx.notices.tell([_happening(tx, NoticeKind.MENDED, file, "", now=now)])
            if file not in self._found.files:
                tx.flows.remove_file(file, now=now)


def _happening(tx: Transaction, kind: NoticeKind, file: str, words: str, *, now: datetime) -> Happening:
    """What is to be told of a file, and of the flows that it has, or had last."""
    flows = {flow.name: flow.tags for flow in tx.flows.of_file(file)}
    return Happening(kind=kind, at=now, subject=file, words=words, flows=flows)


def _words(failure: Failure) -> str:
    place = f"line {failure.line}: " if failure.line else ""
    return f"{place}{failure.message}"
