"""The runs above runs: which asked for the one that asked for it, up to the first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, literal, select

from schedulerd.domain.ids import RunId
from schedulerd.domain.runs import Run
from schedulerd.store.tables import AnySelect, runs

_MOST: Final = 1_000


def _up() -> AnySelect:
    first = select(runs.c.uuid, runs.c.parent_id, literal(0).label("height"))
    up = first.where(runs.c.id == bindparam("run")).cte("up", recursive=True)
    above = select(runs.c.uuid, runs.c.parent_id, up.c.height + 1)
    up = up.union_all(above.where(runs.c.id == up.c.parent_id, up.c.height < _MOST))
    return select(up.c.uuid).order_by(up.c.height.desc()).limit(1)


_ROOT: Final[Any] = _up()


def rooted(connection: Connection, found: Sequence[Run]) -> list[Run]:
    """The runs, those that another asked for with the first run above them, as far up as there are any still."""
    return [
        run if run.parent is None else replace(run, root=RunId(connection.scalar(_ROOT, {"run": run.key})))
        for run in found
    ]
