"""Limits with a name, and the slots that runs hold of them."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from schedulerd.domain.named_limits import HeldSlot, LimitUse, NamedLimit
from schedulerd.domain.near import near
from schedulerd.domain.questions import AskedQuestion
from schedulerd.errors import NotFound
from schedulerd.store.asking_tables import named_limits, slots
from schedulerd.store.tables import IS_LIVE, AnyRow, flows, runs
from schedulerd.store.upserts import Upsert

_PUT: Final = Upsert(named_limits)
_ALL: Final = select(named_limits).order_by(named_limits.c.name)
_ONE: Final = _ALL.where(named_limits.c.name == bindparam("name"))
# Of live runs alone, and of their present attempts: what others left behind counts for nothing.
_LIVE_SLOTS: Final = slots.join(runs, (runs.c.id == slots.c.run_id) & (runs.c.attempt == slots.c.attempt))
_TAKEN: Final = (
    select(func.coalesce(func.sum(slots.c.occupy), 0))
    .select_from(_LIVE_SLOTS)
    .where(slots.c.name == bindparam("name"), IS_LIVE)
)
_HELD: Final = (
    select(slots.c.name, slots.c.occupy, flows.c.name.label("flow"), runs.c.number)
    .select_from(_LIVE_SLOTS.join(flows, flows.c.id == runs.c.flow_id))
    .where(IS_LIVE)
    .order_by(runs.c.id, slots.c.asked)
)


class NamedLimits:
    """So many slots by name."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self) -> list[LimitUse]:
        """All limits, with who holds slots of each."""
        held = [
            HeldSlot(limit=row.name, run_name=f"{row.flow}#{row.number}", occupy=row.occupy)
            for row in self._connection.execute(_HELD)
        ]
        return [
            LimitUse(limit=limit, held=tuple(one for one in held if one.limit == limit.name))
            for limit in map(_limit, self._connection.execute(_ALL))
        ]

    def find(self, name: str) -> NamedLimit | None:
        """The limit of that name, None where there is none."""
        row = self._connection.execute(_ONE, {"name": name}).one_or_none()
        return None if row is None else _limit(row)

    def get(self, name: str) -> NamedLimit:
        """The limit of that name. Raises `NotFound`."""
        found = self.find(name)
        if found is None:
            raise NotFound("limit", name, near=near(name, [one.limit.name for one in self.all()]))
        return found

    def put(self, limit: NamedLimit) -> None:
        """Keep a limit, new or in place of the one that is there."""
        row = {
            "name": limit.name,
            "slots": limit.slots,
            "per_second": limit.per_second,
            "level": limit.level,
            "level_at": limit.level_at,
        }
        _PUT(self._connection, [row])

    def remove(self, name: str) -> bool:
        """Remove it; False when there is none of that name."""
        return self._connection.execute(delete(named_limits).where(named_limits.c.name == name)).rowcount == 1

    def taken(self, name: str) -> int:
        """How many slots live runs hold."""
        return int(self._connection.execute(_TAKEN, {"name": name}).scalar_one())

    def hold(self, asked: AskedQuestion, names: Iterable[str], occupy: int) -> None:
        """The attempt that asks holds so many slots of each, until it lets go of them or ends."""
        rows = [
            {
                "run_id": asked.run,
                "attempt": asked.attempt,
                "asked": asked.question.id,
                "name": name,
                "occupy": occupy,
            }
            for name in names
        ]
        self._connection.execute(insert(slots), rows)


def _limit(row: AnyRow) -> NamedLimit:
    return NamedLimit(
        name=row.name,
        slots=row.slots,
        per_second=row.per_second,
        level=row.level,
        level_at=row.level_at,
    )
