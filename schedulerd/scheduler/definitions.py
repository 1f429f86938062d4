"""Brings the database in line with what the files say."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.bundles import Bundle
from schedulerd.domain.definitions import Resolved, Resolver
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, Flow, FlowDefinition, FlowKind
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.notices import Happening, NoticeKind
from schedulerd.domain.schedules import FileAppears, ScheduleDefinition
from schedulerd.errors import BadDefinition, StoreUnavailable
from schedulerd.scheduler.enforcing import Enforcer
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.known_flows import KnownFlows
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.scheduler.outstanding import read_outstanding, write_outstanding
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.scheduler.standing import NOTHING, Change, Part, Standing
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_MOST_RESOLVED: Final = 1_000  # schedules that come, in a turn: due times come between
_MOST_FIRST: Final = 2_000  # in the first part, since they belong to the flows, or have causes
_MOST_TOLD: Final = 9  # of several errors of one file, after the first


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
        self._database = database
        self._clock = clock
        self._troubles = troubles
        self._enforcer = Enforcer(runs, troubles, boot_id=boot_id)
        self._resolver = Resolver()
        self._look_for = look_for
        self._present: frozenset[str] | None = None
        self._files: dict[str, FileDefinition] = {}
        self._failures: dict[str, Failure] = {}
        self._refused: tuple[BadDefinition, ...] = ()
        self._schedules: Mapping[str, Bundle] | None = None
        self._schedule_errors: tuple[BadDefinition, ...] = ()
        self._dirty = False
        self._applied: dict[str, FileDefinition] = {}
        self._applied_errors: dict[str, Failure] = {}
        self._standing: Standing | None = None
        self._parts: Iterator[Part] = iter(())
        self._part: Part | None = None
        self._is_resolving = False
        self._outstanding: dict[str, datetime] = {}
        self.flows = KnownFlows(database)

    def changed(self, change: DefinitionsChanged) -> None:
        """Take note of what the folders hold now."""
        self._refused = change.refused
        kept = {file for file in self._files if _is_withheld(file, change.withheld)}
        self._present = change.flow_files | kept
        for known in (self._files, self._failures):
            for file in set(known) - self._present:
                known.pop(file)
        if change.schedules is not None:
            self._schedules = change.schedules
            self._schedule_errors = change.schedule_errors
        self._dirty = True

    def inspected(self, found: Inspected) -> None:
        """Take note of what a file defines; one that cannot be taken keeps its last good version."""
        if self._present is not None and found.file not in self._present:
            return  # it was removed while it was looked at
        match found.definition:
            case Failure() as failure:
                self._failures[found.file] = failure
            case FileDefinition() as definition:
                self._files[found.file] = definition
                self._failures.pop(found.file, None)
        self._dirty = True

    @property
    def is_applied(self) -> bool:
        """Does the database say all that the files are known to say?"""
        is_read = self._schedules is not None and self._present is not None
        return is_read and not self._dirty and not self.is_behind

    @property
    def is_behind(self) -> bool:
        """Is there more to write, that nothing has to be waited for?"""
        return self._part is not None or self._is_resolving

    def apply(self) -> bool:
        """Write what changed, in one transaction, or of very much a part; was there anything?

        A schedule that cannot be written is refused, and keeps back no other. Raises `StoreUnavailable`, and what writing the
        flows met with; then nothing was written, and the next call tries again.
        """
        if self._schedules is None or self._present is None:
            return False
        if self._dirty:
            self._begin(self._schedules)
            return True
        if self._part is None:
            return False
        self._go_on(self._part)
        self._done()
        return True

    def _go_on(self, part: Part) -> None:
        try:
            with self._database.write() as tx:
                self._put(tx, part.definitions, self._outstanding)
                self._note_end(tx, part)
        except StoreUnavailable:
            raise
        except Exception:  # border: it is not known which of them it is; that one must not stop the others
            log.exception("part_failed", extra={"schedules": len(part.definitions)})
            self._go_on_singly(part)

    def _go_on_singly(self, part: Part) -> None:
        for definition in part.definitions:
            try:
                with self._database.write() as tx:
                    self._put(tx, [definition], self._outstanding)
            except StoreUnavailable:
                raise
            except Exception as error:  # border: as above
                self._enforcer.refuse(definition, error)
        with self._database.write() as tx:
            self._note_end(tx, part)

    def _note_end(self, tx: Transaction, part: Part) -> None:
        if self._outstanding.keys() <= part.names:
            write_outstanding(tx, {})

    def _begin(self, schedules: Mapping[str, Bundle]) -> None:
        """Write all but schedules that come, and the first of these. What is new is seen now, whenever it is written."""
        resolved = self._resolver.resolve_some(self._files.values(), schedules, most=_MOST_RESOLVED)
        self._is_resolving = resolved is None
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
        errors, now = self._errors(resolved), self._clock.now()
        with self._database.write() as tx:
            standing = self._standing or Standing.of(tx)
            change = standing.change_to(resolved.schedules)
            outstanding = dict.fromkeys(change.fresh, now) | self._left_over(tx, standing, change)
            parts = change.parts(self._first(resolved, change))
            part = next(parts) if has_first else NOTHING
            self._put_flows(tx, resolved, errors, change.gone, now=now)
            self._put(tx, part.definitions, outstanding)
            write_outstanding(tx, {name: outstanding[name] for name in outstanding.keys() - part.names})
            self._put_errors(tx, errors, now=now)
            flows = tx.flows.all(removed=True, kind=FlowKind.PYTHON)
        self.flows, self._applied_errors = KnownFlows(self._database, flows), errors
        self._applied = {file.file: file for file in resolved.files}
        self._standing, self._outstanding = standing, outstanding
        self._parts, self._part = parts, part
        standing.begin(change)
        self._troubles.keep_only(standing.has)
        self._look_for(resolved.awaited)
        self._dirty = False
        self._done()

    def _first(self, resolved: Resolved, change: Change) -> Sequence[ScheduleDefinition]:
        """What must not come later than what is looked for, and than the flows: a cause that nobody waits for is lost, and what
        is given to a flow fits it as it is now. Where these are very many, they come in parts as others do."""
        caused = [one for one in resolved.caused if one.name in change.names]
        flows_before = [flow for file in self._applied.values() for flow in file.flows]
        flows_now = [flow for file in resolved.files for flow in file.flows]
        belonging = change.belonging(flows_before, flows_now)
        first = {one.name: one for one in islice(chain(caused, belonging), _MOST_FIRST + 1)}
        return caused[:_MOST_FIRST] if len(first) > _MOST_FIRST else tuple(first.values())

    def _left_over(self, tx: Transaction, standing: Standing, change: Change) -> dict[str, datetime]:
        """What was outstanding before this change, also to a daemon before this one, and still is."""
        return {
            name: since
            for name, since in read_outstanding(tx).items()
            if name in change.names and (name in self._outstanding or not standing.has(name))
        }

    def _put(
        self, tx: Transaction, definitions: Sequence[ScheduleDefinition], outstanding: Mapping[str, datetime]
    ) -> None:
        self.flows.forget_commands()  # here: whether what is written now is in the database is not known when that fails
        self._enforcer.put(tx, definitions, now=self._clock.now(), since=outstanding)

    def _done(self) -> None:
        """The part is in the database."""
        assert self._standing is not None
        assert self._part is not None
        self._standing.done(self._part)
        for name in self._part.names:
            self._outstanding.pop(name, None)
        self._part = next(self._parts, None)

    def load(self, tx: Transaction) -> None:
        """Begin with what the database remembers: it is in force until the files have been read, and where they are
        broken, beyond that."""
        flows = tx.flows.all(removed=True, kind=FlowKind.PYTHON)
        self.flows = KnownFlows(self._database, flows)
        self._files = {file.file: file for file in _remembered(flows)}
        self._applied = dict(self._files)
        self._applied_errors = {error.file: error.error for error in tx.flows.errors()}

    @property
    def problem_count(self) -> int:
        """How many files have something wrong with them."""
        return len(self._applied_errors)

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
        good = {definition.file for definition in self._files.values()}
        for file in set(self._applied_errors) - set(errors):
            log.info("definition_mended", extra={"file": file})
            tx.notices.tell([_happening(tx, NoticeKind.MENDED, file, "", now=now)])
            if file not in good:
                tx.flows.remove_file(file, now=now)

    def _errors(self, resolved: Resolved) -> dict[str, Failure]:
        """What is wrong, a failure for each file; of several the first, with how many more there are."""
        by_file: dict[str, list[Failure]] = {}
        for error in (*self._refused, *self._schedule_errors):
            by_file.setdefault(error.file, []).append(_failure(error))
        for file, failures in resolved.errors.items():
            by_file.setdefault(file, []).extend(failures)
        for file, failure in self._failures.items():
            by_file[file] = [failure]
        return {file: _first(failures) for file, failures in by_file.items()}


def _happening(tx: Transaction, kind: NoticeKind, file: str, words: str, *, now: datetime) -> Happening:
    """What is to be told of a file, and of the flows that it has, or had last."""
    flows = {flow.name: flow.tags for flow in tx.flows.of_file(file)}
    return Happening(kind=kind, at=now, subject=file, words=words, flows=flows)


def _is_withheld(file: str, withheld: Iterable[str]) -> bool:
    return any(file == path or file.startswith(f"{path}/") for path in withheld)


def _remembered(flows: Iterable[Flow]) -> list[FileDefinition]:
    """The flow files as they were last in force; their source is in the database already."""
    by_file: dict[tuple[str, str], list[FlowDefinition]] = {}
    for flow in flows:
        if not flow.removed and flow.definition.kind is FlowKind.PYTHON and flow.version_hash is not None:
            by_file.setdefault((flow.definition.file, flow.version_hash), []).append(flow.definition)
    return [
        FileDefinition(file=file, version=version, source="", flows=tuple(held))
        for (file, version), held in by_file.items()
    ]


def _failure(error: BadDefinition) -> Failure:
    mend = f"; {error.mend}" if error.mend else ""
    return Failure(type="BadDefinition", message=error.reason + mend, file=error.file, line=error.line)


def _words(failure: Failure) -> str:
    place = f"line {failure.line}: " if failure.line else ""
    return f"{place}{failure.message}"


def _first(failures: Sequence[Failure]) -> Failure:
    first, *rest = failures
    if not rest:
        return first
    told = [f"line {one.line}: {one.message}" for one in rest[:_MOST_TOLD]]
    if len(rest) > _MOST_TOLD:
        told.append(f"and {len(rest) - _MOST_TOLD} more")
    more = "; ".join(told)
    return Failure(
        type=first.type, message=f"{first.message}; {more}", file=first.file, line=first.line, task=first.task
    )
