"""The schedules in force, and how far each has been decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, or_, select, update

from schedulerd.domain.flows import FlowKind
from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.near import near
from schedulerd.domain.schedules import Pause, Schedule, ScheduleDefinition
from schedulerd.errors import Conflict, NotFound
from schedulerd.sentences import said
from schedulerd.store.aligning import align_with_schedule
from schedulerd.store.flow_schedules import FlowSchedules, of_flows
from schedulerd.store.pings import Monitored
from schedulerd.store.prepared import Prepared
from schedulerd.store.reopening import AHEAD, reopen
from schedulerd.store.schedule_rows import Advance, Forward, new_row, row_again, schedule_of
from schedulerd.store.tables import IS_QUEUED, AnyRow, AnySelect, flows, runs, schedules

_DUE: Final = (
    select(schedules)
    .where(schedules.c.next_due <= bindparam("now"))
    .order_by(schedules.c.next_due, schedules.c.id)
    .limit(bindparam("limit"))
)
_NEXT_DUE: Final = select(func.min(schedules.c.next_due))
# Only `@reboot` schedules have a boot: the partial index holds no others.
_NOT_BOOTED: Final = select(schedules).where(
    schedules.c.boot_id.is_not(None),
    schedules.c.boot_id != bindparam("boot"),
    schedules.c.removed_at.is_(None),
)
_CAUSED: Final = (
    select(schedules)
    .where(schedules.c.cause == bindparam("kind"), schedules.c.removed_at.is_(None))
    .order_by(schedules.c.name)
)
_ADVANCE: Final = Prepared(
    update(schedules)
    .where(
        schedules.c.id == bindparam("key"),
        schedules.c.watermark <= bindparam("to"),
        schedules.c.removed_at.is_(None),
        schedules.c.paused_at.is_(None),
    )
    .values(
        watermark=bindparam("to"),
        next_due=bindparam("due"),
        last_due=func.coalesce(bindparam("last", type_=schedules.c.last_due.type), schedules.c.last_due),
    )
)


_SET_BOOT: Final = (
    update(schedules)
    .where(schedules.c.id == bindparam("key"))
    .values(
        boot_id=bindparam("boot"),
        last_due=func.coalesce(bindparam("last", type_=schedules.c.last_due.type), schedules.c.last_due),
    )
)
_SET_DUE: Final = (
    update(schedules).where(schedules.c.id == bindparam("key")).values(next_due=bindparam("due"))
)
# What waits in line was told to by a policy that has changed: it is decided again.
_DECIDE_AGAIN: Final = update(runs).where(IS_QUEUED, runs.c.schedule_id == bindparam("key")).values(queued=0)


_NAMED: Final = select(schedules).where(schedules.c.name.in_(bindparam("names", expanding=True)))
# Sets the columns that it is given.
_PUT_AGAIN: Final = update(schedules).where(schedules.c.id == bindparam("key"))
_KEYS: Final = select(schedules.c.name, schedules.c.id).where(
    schedules.c.name.in_(bindparam("names", expanding=True))
)


_WITH_FLOW: Final = (
    select(schedules, flows.c.name.label("flow_name"))
    .select_from(
        schedules.outerjoin(flows, and_(flows.c.id == schedules.c.flow_id, flows.c.removed_at.is_(None)))
    )
    .where(schedules.c.removed_at.is_(None))
)
_SOONEST: Final = (
    select(schedules.c.id)
    .where(schedules.c.next_due > bindparam("now"), schedules.c.removed_at.is_(None))
    .order_by(schedules.c.next_due, schedules.c.name)
    .limit(bindparam("limit"))
)
_IN_TIME: Final = and_(schedules.c.paused_at.is_(None), schedules.c.cause.is_(None))
# Each of the alternatives by itself is sought in an index: SQLite reads no others.
_RUNS: Final = or_(
    schedules.c.name == bindparam("name"),
    schedules.c.flow_id.in_(select(flows.c.id).where(flows.c.name == bindparam("name"))),
)


def _coming(soonest: Select[tuple[int]]) -> AnySelect:
    return _WITH_FLOW.where(
        or_(
            schedules.c.id.in_(soonest),
            and_(schedules.c.next_due <= bindparam("now"), _IN_TIME),
            and_(schedules.c.next_due.is_(None), _IN_TIME),
        )
    )


_COMING: Final = _coming(_SOONEST)
_COMING_OF: Final[AnySelect] = _coming(_SOONEST.where(_RUNS)).where(_RUNS)
_RUNNING: Final[AnySelect] = _WITH_FLOW.where(_RUNS).order_by(schedules.c.name)


class Schedules:
    """Nothing here is ever deleted: a schedule that is gone is marked removed and is never due."""

    def __init__(self, connection: Connection, monitored: Monitored) -> None:
        self._connection: Final = connection
        self._monitored: Final = monitored

    def put(
        self,
        definition: ScheduleDefinition,
        *,
        flow: FlowKey,
        watermark: datetime,
        next_due: datetime | None,
        now: datetime,
        boot_id: str | None = None,
    ) -> ScheduleKey:
        """Put a schedule in force by its name, which keeps its identity.

        One that is new, comes back, or has other due times, looks forward from `watermark` and `next_due`, and a
        `@reboot` from the boot `boot_id`; any other keeps how far it has been decided. One that is paused stays so.
        """
        forward = Forward(
            definition=definition, flow=flow, watermark=watermark, next_due=next_due, boot_id=boot_id
        )
        return self.put_all([forward], now=now)[definition.name]

    def put_all(self, given: Sequence[Forward], *, now: datetime) -> dict[str, ScheduleKey]:
        """Put schedules in force as `put` does, each name once; many of them in few statements. The key of each."""
        names = [one.definition.name for one in given]
        known = {row.name: row for row in self._connection.execute(_NAMED, {"names": names})}
        if any(one.definition.heartbeat is not None for one in given):
            self._monitored.note()
        fresh = [new_row(one, now=now) for one in given if one.definition.name not in known]
        self._put_again([(one, row) for one in given if (row := known.get(one.definition.name)) is not None])
        if not fresh:
            return {name: ScheduleKey(row.id) for name, row in known.items()}
        self._connection.execute(insert(schedules), fresh)
        return {row.name: ScheduleKey(row.id) for row in self._connection.execute(_KEYS, {"names": names})}

    def _put_again(self, changes: Sequence[tuple[Forward, AnyRow]]) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for one, known in changes:
            values = row_again(one, known)
            by_columns.setdefault(tuple(values), []).append({"key": known.id} | values)
        for rows in by_columns.values():
            self._connection.execute(_PUT_AGAIN, rows)
        for one, known in changes:
            policies, definition = one.definition.policies, one.definition
            if (known.overlap, known.queue_limit) != (policies.overlap.value, policies.queue_limit):
                self._connection.execute(_DECIDE_AGAIN, {"key": known.id})
            if (known.pool, known.priority) != (definition.pool, definition.priority):
                align_with_schedule(self._connection, known.id)

    def remove(self, *names: str, now: datetime) -> None:
        """Take schedules out of force; their history stays. Unknown or removed already: nothing happens."""
        self._connection.execute(
            update(schedules)
            .where(schedules.c.name.in_(names), schedules.c.removed_at.is_(None))
            .values(removed_at=now, next_due=None)
        )

    def due(self, now: datetime, *, limit: int = 100) -> list[Schedule]:
        """The schedules whose next due time has come, the longest due first."""
        return [schedule_of(row) for row in self._connection.execute(_DUE, {"now": now, "limit": limit})]

    def next_due(self) -> datetime | None:
        """The moment at which the next schedule is due, which may have passed; None when there is none."""
        due: datetime | None = self._connection.scalar(_NEXT_DUE)
        return due

    def advance(
        self, key: ScheduleKey, *, watermark: datetime, next_due: datetime | None, last_due: datetime | None
    ) -> None:
        """Note that everything up to `watermark` has been decided; an older watermark changes nothing.

        `last_due` None keeps the one that is there.
        """
        self.advance_all([Advance(key=key, watermark=watermark, next_due=next_due, last_due=last_due)])

    def advance_all(self, advances: Iterable[Advance]) -> None:
        """`advance` for each."""
        rows = [
            {"key": one.key, "to": one.watermark, "due": one.next_due, "last": one.last_due}
            for one in advances
        ]
        _ADVANCE(self._connection, rows)

    def pause(self, name: str, *, at: datetime, by: str, reason: str) -> Schedule:
        """Have the schedule due no more until it is resumed; how it stands then. Raises `NotFound`, and `Conflict` when
        it is paused already."""
        schedule = self.get(name)
        if schedule.paused is not None:
            raise Conflict(
                said("{name!r} is paused already: {since}", name=name, since=_since(schedule.paused)),
                mend=said("have it due again: `schedulerd schedules resume {name}`", name=name),
            )
        self._connection.execute(
            update(schedules)
            .where(schedules.c.id == schedule.key)
            .values(paused_at=at, paused_by=by, paused_reason=reason, next_due=None)
        )
        return self.get(name)

    def resume(
        self,
        key: ScheduleKey,
        *,
        paused_at: datetime,
        watermark: datetime,
        next_due: datetime | None,
        last_due: datetime | None,
    ) -> bool:
        """Have a schedule due again that was paused then, decided up to `watermark`. False when that pause is no more."""
        ended = self._connection.execute(
            update(schedules)
            .where(schedules.c.id == key, schedules.c.paused_at == paused_at)
            .values(paused_at=None, paused_by=None, paused_reason=None)
            .returning(schedules.c.id)
        )
        if ended.one_or_none() is None:
            return False
        self.advance(key, watermark=watermark, next_due=next_due, last_due=last_due)
        return True

    def not_booted(self, boot_id: str) -> list[Schedule]:
        """The `@reboot` schedules that have not been decided for this start of the machine."""
        return [schedule_of(row) for row in self._connection.execute(_NOT_BOOTED, {"boot": boot_id})]

    def caused_by(self, kind: str) -> list[Schedule]:
        """The schedules in force whose causes are of this kind: `after`, `file` or `webhook`."""
        found = self._connection.execute(_CAUSED, {"kind": kind})
        return [one for row in found if (one := schedule_of(row)).definition.enabled]

    def touched(self, key: ScheduleKey, *, last_due: datetime) -> None:
        """Note that a cause made it due."""
        statement = update(schedules).where(schedules.c.id == key).values(last_due=last_due)
        self._connection.execute(statement)

    def set_boot(self, key: ScheduleKey, boot_id: str, *, last_due: datetime | None) -> None:
        """Note that a `@reboot` schedule has been decided for this start of the machine.

        `last_due` None keeps the one that is there.
        """
        self._connection.execute(_SET_BOOT, {"key": key, "boot": boot_id, "last": last_due})

    def set_next_due(self, times: Mapping[ScheduleKey, datetime | None]) -> None:
        """Have the schedules due at these times: their zones are others than when they were decided."""
        rows = [{"key": key, "due": due} for key, due in times.items()]
        if rows:
            self._connection.execute(_SET_DUE, rows)

    def ahead_of(self, moment: datetime) -> list[Schedule]:
        """The schedules in force that are decided beyond this moment."""
        return [schedule_of(row) for row in self._connection.execute(AHEAD, {"moment": moment})]

    def reopen(
        self, key: ScheduleKey, *, watermark: datetime, next_due: datetime | None, first_seen: datetime
    ) -> int:
        """Have a schedule look forward from `watermark` again, though it is decided beyond it.

        Skips of due times after it give their slots back, so that these can be decided again, and stay as rows; how
        many did is returned. What ran, or is to run, keeps its slot.
        """
        return reopen(self._connection, key, watermark=watermark, next_due=next_due, first_seen=first_seen)

    def all(
        self,
        *,
        removed: bool = False,
        of: Collection[FlowKey] | None = None,
        named: Collection[str] | None = None,
    ) -> list[Schedule]:
        """The schedules in force by name, or with `removed` also those that are no more; `of` these flows, or those that are
        `named`, where some are said."""
        query = select(schedules) if removed else select(schedules).where(schedules.c.removed_at.is_(None))
        if named is not None:
            query = query.where(schedules.c.name.in_(named))
        if of is not None:
            query = query.where(schedules.c.flow_id.in_(of))
        return [schedule_of(row) for row in self._connection.execute(query.order_by(schedules.c.name))]

    def coming(
        self, now: datetime, *, limit: int, name: str | None = None
    ) -> tuple[list[Schedule], dict[FlowKey, str]]:
        """The schedules among which the next `limit` fires are, and what those of their flows are called that are in force: of
        all, or of those that are called `name` or whose flow is.

        Those that are due first after `now`; and those of which it is not known when they are due next, because that moment
        has come, or none is known.
        """
        if name is None:
            return self._with_flows(_COMING, {"now": now, "limit": limit})
        return self._with_flows(_COMING_OF, {"now": now, "limit": limit, "name": name})

    def running(self, name: str) -> tuple[list[Schedule], dict[FlowKey, str]]:
        """The schedules in force by name that are called so or whose flow is, and what those of their flows are called that are
        in force."""
        return self._with_flows(_RUNNING, {"name": name})

    def _with_flows(
        self, query: AnySelect, given: Mapping[str, Any]
    ) -> tuple[list[Schedule], dict[FlowKey, str]]:
        rows = self._connection.execute(query, given).all()
        names = {FlowKey(row.flow_id): row.flow_name for row in rows if row.flow_name is not None}
        return [schedule_of(row) for row in rows], names

    def of_flows(
        self, of: Collection[FlowKey] | None = None, *, first: int = 0
    ) -> dict[FlowKey, FlowSchedules]:
        """What a list shows of the schedules in force of these flows, or of all: of a flow that has any, with the `first` so many."""
        return of_flows(self._connection, of, first=first)

    def titles(self) -> list[tuple[str, str]]:
        """The name of each schedule in force, and of the flow that it runs, empty for a command. In no order."""
        query = (
            select(schedules.c.name, flows.c.name, flows.c.kind)
            .join(flows)
            .where(schedules.c.removed_at.is_(None))
        )
        is_command = FlowKind.COMMAND.value
        return [
            (name, "" if kind == is_command else flow) for name, flow, kind in self._connection.execute(query)
        ]

    def names(self) -> dict[str, bool]:
        """The names of the schedules in force, sorted; of each, whether it is paused."""
        query = select(schedules.c.name, schedules.c.paused_at).where(schedules.c.removed_at.is_(None))
        found = self._connection.execute(query.order_by(schedules.c.name))
        return {row.name: row.paused_at is not None for row in found}

    def get(self, name: str) -> Schedule:
        """The schedule of this name in force. Raises `NotFound` with the names that come near."""
        in_force = select(schedules).where(schedules.c.removed_at.is_(None))
        row = self._connection.execute(in_force.where(schedules.c.name == name)).one_or_none()
        if row is None:
            names = self._connection.scalars(in_force.with_only_columns(schedules.c.name))
            raise NotFound("schedule", name, near=near(name, names))
        return schedule_of(row)


def _since(pause: Pause) -> str:
    return said(
        "since {at:%Y-%m-%d %H:%M} UTC, by {by}: {reason}", at=pause.at, by=pause.by, reason=pause.reason
    )
