"""Puts schedules in force, and takes them out of it, within a transaction of the core's."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Final

from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.planning import Plan, leave, look_forward
from schedulerd.domain.resolution import command_flow
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Schedule, ScheduleDefinition
from schedulerd.errors import BadExpression
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.store.schedule_rows import Forward
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_AT_ONCE: Final = 500
_MOST_TOLD: Final = 20  # of those that come into force together, a line each
_UNSUITABLE: Final = (ValueError, OverflowError, BadExpression)
"""What is raised for a schedule that cannot be reckoned, or kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Coming:
    """A schedule that is to be in force, what its name was before, and how it begins."""

    definition: ScheduleDefinition
    was: Schedule | None
    ahead: Plan


class Enforcer:
    """Decides nothing about which schedules there are. One that cannot be put in force is noted, and stops no other."""

    def __init__(self, runs: RunMaker, troubles: ScheduleTroubles, *, boot_id: str) -> None:
        self._runs: Final = runs
        self._troubles: Final = troubles
        self._boot_id: Final = boot_id

    def put(
        self,
        tx: Transaction,
        definitions: Sequence[ScheduleDefinition],
        *,
        now: datetime,
        since: Mapping[str, datetime],
    ) -> None:
        """Have these in force. They look forward from `now`, or if they are new from the moment `since` which they are known."""
        names = [one.name for one in definitions]
        commands = [command_flow(one) for one in definitions if one.command is not None]
        if commands:
            tx.flows.put_commands(commands, now=now)
        in_force = {one.definition.name: one for one in tx.schedules.all(named=names)}
        changed: list[ScheduleDefinition] = []
        for definition in definitions:
            was = in_force.get(definition.name)
            if was is not None and was.definition == definition:
                self._troubles.unchanged(definition.name)
            else:
                changed.append(definition)
        if changed:
            self._put_changed(tx, changed, in_force, now=now, since=since)

    def refuse(self, definition: ScheduleDefinition, error: Exception) -> None:
        """Note that it cannot be put in force: what was in force of its name stays."""
        log.error("schedule_refused", extra={"schedule": definition.name}, exc_info=error)
        self._troubles.refused(definition.name, error)

    def remove(self, tx: Transaction, names: Iterable[str], *, now: datetime) -> None:
        """Take these out of force, with a row for the due times that were not decided; unknown ones do not matter."""
        left = iter(sorted(names))
        while some := list(islice(left, _AT_ONCE)):
            for schedule in tx.schedules.all(named=some):
                if not _has_nothing_to_leave(schedule, now=now):
                    self._leave(tx, schedule, SkipReason.REMOVED, now=now)
            tx.schedules.remove(*some, now=now)
            tx.flows.remove_commands(some, now=now)

    def _put_changed(
        self,
        tx: Transaction,
        changed: Sequence[ScheduleDefinition],
        in_force: dict[str, Schedule],
        *,
        now: datetime,
        since: Mapping[str, datetime],
    ) -> None:
        known = {
            one.definition.name: one
            for one in tx.schedules.all(removed=True, named=[one.name for one in changed])
        }
        no_commands = [
            one.name
            for one in changed
            if one.command is None and one.name in in_force and in_force[one.name].definition.command
        ]
        if no_commands:
            tx.flows.remove_commands(no_commands, now=now)
        coming: list[_Coming] = []
        for definition in changed:
            name, was = definition.name, in_force.get(definition.name)
            try:
                if was is not None and not was.definition.is_due_like(definition):
                    self._leave(tx, was, SkipReason.EDITED, now=now)
                begins = (
                    now if was is not None else _beginning(known.get(name), since.get(name, now), now=now)
                )
                coming.append(_coming(definition, known.get(name), begins=begins))
            except _UNSUITABLE as error:  # border: one bad schedule must not stop the rest
                self.refuse(definition, error)
        for begins, together in groupby(sorted(coming, key=_begins), key=_begins):
            self._put_coming(tx, list(together), since=begins)

    def _put_coming(self, tx: Transaction, coming: Sequence[_Coming], *, since: datetime) -> None:
        try:
            self._put_together(tx, coming, since=since)
        except _UNSUITABLE as error:  # border: as above, and it is not known which of them it is
            if len(coming) == 1:
                self.refuse(coming[0].definition, error)
                return
            for one in coming:
                self._put_coming(tx, [one], since=since)

    def _put_together(self, tx: Transaction, coming: Sequence[_Coming], *, since: datetime) -> None:
        flows = tx.flows.keys({one.definition.flow or one.definition.name for one in coming})
        given = [
            Forward(
                definition=one.definition,
                flow=flows[one.definition.flow or one.definition.name],
                watermark=one.ahead.watermark,
                next_due=one.ahead.next_due,
                boot_id=self._boot_id,
            )
            for one in coming
        ]
        keys = tx.schedules.put_all(given, now=since)
        for one, forward in zip(coming, given, strict=True):
            if one.ahead.skips and (one.was is None or one.was.definition.when != one.definition.when):
                # a single time that had passed before it was first seen
                key = keys[one.definition.name]
                skips = [
                    self._runs.skipped(one.definition, key, forward.flow, skip, now=since)
                    for skip in one.ahead.skips
                ]
                tx.runs.add(skips)
            self._troubles.accepted(one.definition.name)
        _tell(coming)

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


def _coming(definition: ScheduleDefinition, was: Schedule | None, *, begins: datetime) -> _Coming:
    """How it looks forward from when it `begins`. Raises what is `_UNSUITABLE`."""
    first_seen = begins if was is None else was.first_seen
    ahead = look_forward(definition, first_seen=first_seen, now=begins)
    return _Coming(definition=definition, was=was, ahead=ahead)


def _begins(coming: _Coming) -> datetime:
    return coming.ahead.watermark


def _beginning(removed: Schedule | None, since: datetime, *, now: datetime) -> datetime:
    """From when on due times count that are known `since` then: not those that were decided before it was removed, nor, where
    the clock has gone back, none until it is as late again."""
    decided = since if removed is None else max(since, removed.watermark)
    return min(decided, now)


def _has_nothing_to_leave(schedule: Schedule, *, now: datetime) -> bool:
    """Is it plain that all its due times so far have been decided? Those in a blackout are due before the next one."""
    is_ahead = schedule.next_due is not None and schedule.next_due > now
    return is_ahead and schedule.definition.blackout is None and schedule.boot_id is None


def _tell(coming: Sequence[_Coming]) -> None:
    if len(coming) > _MOST_TOLD:
        first, last = coming[0].definition.name, coming[-1].definition.name
        log.info("schedules_in_force", extra={"count": len(coming), "first": first, "last": last})
        return
    for one in coming:
        next_due = str(one.ahead.next_due)
        log.info("schedule_in_force", extra={"schedule": one.definition.name, "next_due": next_due})
