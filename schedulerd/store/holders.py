"""Rows of runs as those that hold a place, or want one."""

from collections.abc import Iterable

from schedulerd.domain.limits import Holder, Share
from schedulerd.domain.states import LIVE
from schedulerd.store.tables import AnyRow


def holders(active: Iterable[AnyRow], *, agent: str | None) -> list[Holder]:
    """Those of the runs that hold a place; one that waits for its retry holds none."""
    return [
        Holder(selector=f"{row.flow}#{row.number}", share=share(row), ours=row.agent == agent)
        for row in active
        if row.state in LIVE
    ]


def share(row: AnyRow) -> Share:
    """What the run of a row takes a place of."""
    return Share(flow=row.flow, flow_limit=row.flow_limit, pool=row.pool or None)
