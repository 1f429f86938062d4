"""Brings the database in line with what the files say."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.definitions import InForce, resolve
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, Flow, FlowDefinition, FlowKind
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.notices import Happening, NoticeKind
from schedulerd.domain.planning import leave, look_forward
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import FileAppears, Schedule, ScheduleDefinition
from schedulerd.errors import BadDefinition, BadExpression
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

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
        self._runs = runs
        self._troubles = troubles
        self._boot_id = boot_id
        self._look_for = look_for
        self._present: frozenset[str] | None = None
        self._files: dict[str, FileDefinition] = {}
        self._failures: dict[str, Failure] = {}
        self._refused: tuple[BadDefinition, ...] = ()
        self._schedules: tuple[ScheduleDefinition, ...] | None = None
        self._schedule_errors: tuple[BadDefinition, ...] = ()
        self._dirty = False
        self._applied: dict[str, FileDefinition] = {}
        self._applied_errors: dict[str, Failure] = {}
        self.flows: Mapping[FlowKey, Flow] = {}

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
        return not self._dirty and self._schedules is not None and self._present is not None

    def apply(self) -> bool:
        """Write what changed, in one transaction; was there anything?

        Raises `StoreUnavailable`; then nothing was written, and the next call tries again.
        """
        if not self._dirty or self._schedules is None or self._present is None:
            return False
        now = self._clock.now()
        resolved = resolve(self._files.values(), self._schedules)
        errors = self._errors(resolved)
        with self._database.write() as tx:
            self._put_flows(tx, resolved, errors, now=now)
            self._put_schedules(tx, resolved, now=now)
            self._put_errors(tx, errors, now=now)
            flows = {flow.key: flow for flow in tx.flows.all(removed=True)}
        self.flows, self._applied_errors = flows, errors
        self._applied = {file.file: file for file in resolved.files}
        self._look_for(
            one.when for one in resolved.schedules if one.enabled and isinstance(one.when, FileAppears)
        )
        self._dirty = False
        return True

    def load(self, tx: Transaction) -> None:
        """Begin with what the database remembers: it is in force until the files have been read, and where they are
        broken, beyond that."""
        flows = tx.flows.all(removed=True)
        self.flows = {flow.key: flow for flow in flows}
        self._files = {file.file: file for file in _remembered(flows)}
        self._applied = dict(self._files)
        self._applied_errors = {error.file: error.error for error in tx.flows.errors()}

    @property
    def problem_count(self) -> int:
        """How many files have something wrong with them."""
        return len(self._applied_errors)

    def _put_flows(
        self, tx: Transaction, resolved: InForce, errors: Mapping[str, Failure], *, now: datetime
    ) -> None:
        released = self._release(tx, resolved, now=now)
        for file in resolved.files:
            mended = file.file in self._applied_errors and file.file not in errors
            if mended or file.file in released or self._applied.get(file.file) != file:
                tx.flows.put_file(file, now=now)
        for command in resolved.commands:
            tx.flows.put_command(command, now=now)

    def _release(self, tx: Transaction, resolved: InForce, *, now: datetime) -> set[str]:
        """Free the names of flows that their files hold no longer; the files that this touched."""
        held = {flow.name: flow.file for file in resolved.files for flow in file.flows}
        commands = {command.name for command in resolved.commands}
        released = set()
        for flow in tx.flows.all():
            name, file = flow.definition.name, flow.definition.file
            if flow.definition.kind is FlowKind.COMMAND and name not in commands:
                tx.flows.remove_command(name, now=now)
            elif flow.definition.kind is FlowKind.PYTHON and held.get(name) != file:
                tx.flows.remove_file(file, now=now)
                released.add(file)
        return released

    def _put_schedules(self, tx: Transaction, resolved: InForce, *, now: datetime) -> None:
        keys = {flow.definition.name: flow.key for flow in tx.flows.all()}
        known = {schedule.definition.name: schedule for schedule in tx.schedules.all(removed=True)}
        in_force = {schedule.definition.name: schedule for schedule in tx.schedules.all()}
        for definition in resolved.schedules:
            name = definition.name
            if name in in_force and in_force[name].definition == definition:
                self._troubles.unchanged(name)
                continue
            try:
                if name in in_force and not in_force[name].definition.is_due_like(definition):
                    self._leave(tx, in_force[name], SkipReason.EDITED, now=now)
                self._put_schedule(tx, definition, keys[definition.flow or name], known.get(name), now=now)
            except (ValueError, OverflowError, BadExpression) as error:
                # border: one bad schedule must not stop the rest
                log.exception("schedule_refused", extra={"schedule": name})
                self._troubles.refused(name, error)
            else:
                self._troubles.accepted(name)
        self._troubles.keep_only({definition.name for definition in resolved.schedules})
        for name in sorted(set(in_force) - {definition.name for definition in resolved.schedules}):
            self._leave(tx, in_force[name], SkipReason.REMOVED, now=now)
            tx.schedules.remove(name, now=now)

    def _leave(self, tx: Transaction, schedule: Schedule, reason: SkipReason, *, now: datetime) -> None:
        """Have a row for the due times that were not decided before the schedule became another or was removed."""
        if schedule.paused is not None:
            reason = SkipReason.PAUSED
        try:
            left = leave(schedule, now=now, reason=reason)
        except Exception:  # border: what can be reckoned no longer must not keep out what is to come
            log.exception("leave_failed", extra={"schedule": schedule.definition.name})
            return
        tx.schedules.advance(
            schedule.key, watermark=left.watermark, next_due=left.next_due, last_due=left.last_due
        )
        tx.runs.add(self._runs.planned(schedule, left, now=now))
        if schedule.definition.enabled and schedule.boot_id not in (None, self._boot_id):
            tx.runs.add([self._runs.booted(schedule, self._boot_id, now=now, reason=reason)])

    def _put_schedule(
        self,
        tx: Transaction,
        definition: ScheduleDefinition,
        flow: FlowKey,
        was: Schedule | None,
        *,
        now: datetime,
    ) -> None:
        first_seen = was.first_seen if was is not None else now
        ahead = look_forward(definition, first_seen=first_seen, now=now)
        key = tx.schedules.put(
            definition,
            flow=flow,
            watermark=ahead.watermark,
            next_due=ahead.next_due,
            now=now,
            boot_id=self._boot_id,
        )
        if was is None or was.definition.when != definition.when:
            # a single time that had passed before it was first seen
            tx.runs.add([self._runs.skipped(definition, key, flow, skip, now=now) for skip in ahead.skips])
        log.info("schedule_in_force", extra={"schedule": definition.name, "next_due": str(ahead.next_due)})

    def _put_errors(self, tx: Transaction, errors: Mapping[str, Failure], *, now: datetime) -> None:
        for file, failure in errors.items():
            if self._applied_errors.get(file) != failure:
                log.warning("definition_refused", extra={"file": file, "reason": failure.message})
                tx.notices.tell([self._happening(NoticeKind.BROKEN, file, _words(failure), now=now)])
            tx.flows.set_file_error(file, failure, now=now)
        good = {definition.file for definition in self._files.values()}
        for file in set(self._applied_errors) - set(errors):
            log.info("definition_mended", extra={"file": file})
            tx.notices.tell([self._happening(NoticeKind.MENDED, file, "", now=now)])
            if file not in good:
                tx.flows.remove_file(file, now=now)

    def _happening(self, kind: NoticeKind, file: str, words: str, *, now: datetime) -> Happening:
        """What is to be told of a file, and of the flows that it has, or had last."""
        held = [flow.definition for flow in self.flows.values() if flow.definition.file == file]
        flows = {flow.name: flow.tags for flow in held}
        return Happening(kind=kind, at=now, subject=file, words=words, flows=flows)

    def _errors(self, resolved: InForce) -> dict[str, Failure]:
        """What is wrong, a failure for each file; of several the first, with how many more there are."""
        by_file: dict[str, list[Failure]] = {}
        for error in (*self._refused, *self._schedule_errors):
            by_file.setdefault(error.file, []).append(_failure(error))
        for file, failures in resolved.errors.items():
            by_file.setdefault(file, []).extend(failures)
        for file, failure in self._failures.items():
            by_file[file] = [failure]
        return {file: _first(failures) for file, failures in by_file.items()}


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
