"""Rows of runs as those that hold a place, or want one."""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, select

from schedulerd.domain.limits import Holder, Share
from schedulerd.domain.questions import LONG_WAITS
from schedulerd.domain.states import LIVE
from schedulerd.store.asking_tables import questions
from schedulerd.store.tables import AnyRow

# A run that waits for another, or for somebody's decision, needs no place meanwhile; else a run that waits for one of its
# own could keep that from ever starting.
_WAITING: Final = select(questions.c.run_id).where(
    questions.c.kind.in_(sorted(LONG_WAITS)), questions.c.answer.is_(None)
)


def without_place(connection: Connection) -> set[int]:
    """The live runs that have lent their places."""
    return set(connection.scalars(_WAITING))


def holders(active: Iterable[AnyRow], *, agent: str | None, lent: Collection[int] = ()) -> list[Holder]:
    """Those of the runs that hold a place; one that waits for its retry holds none, nor does one of `lent`."""
    return [
        Holder(selector=f"{row.flow}#{row.number}", share=share(row), ours=row.agent == agent)
        for row in active
        if row.state in LIVE and row.id not in lent
    ]


def share(row: AnyRow) -> Share:
    """What the run of a row takes a place of."""
    return Share(flow=row.flow, flow_limit=row.flow_limit, pool=row.pool or None)
