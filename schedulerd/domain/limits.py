"""How many runs may be live at the same time: of an agent, in a pool, of a flow. Pure.

Places are counted from the runs that are live; there is no counter that a crash could leave too high.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_MOST_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What the settings allow: so many live runs of the agent, and so many in each pool."""

    max_running: int
    pools: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a run takes a place of, beside that of its agent: of its flow, and of its pool where it has one.

    `flow_limit` None: its flow has no limit.
    """

    flow: str
    flow_limit: int | None = None
    pool: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A live run, by the name that people know it by, and what it holds a place of. `ours`: it is the agent's."""

    selector: str
    share: Share
    ours: bool = True


class Places:
    """The places that live runs hold, and whether there is one for another run."""

    def __init__(self, limits: Limits, holders: Iterable[Holder]) -> None:
        self._limits: Final = limits
        self._total = 0
        self._flows: Final[Counter[str]] = Counter()
        self._pools: Final[Counter[str | None]] = Counter()
        self._holders: Final = tuple(holders)
        for holder in self._holders:
            self._total += holder.ours
            self._count(holder.share)

    @property
    def free(self) -> int:
        """How many more runs the agent may have; never less than 0."""
        return max(0, self._limits.max_running - self._total)

    def take(self, share: Share) -> None:
        """One more run of the agent is live."""
        self._total += 1
        self._count(share)

    def has_room(self, share: Share) -> bool:
        """Is there a place for such a run, of its flow and in its pool?"""
        return not (self._is_pool_full(share) or self._is_flow_full(share))

    def wait(self, share: Share) -> str:
        """What such a run waits for, in words; empty when nothing is in its way."""
        pool, flow, most = share.pool, share.flow, self._limits.max_running
        if pool is not None and pool not in self._limits.pools:
            return f"waits for pool {pool!r}, which the settings do not define"
        if pool is not None and self._is_pool_full(share):
            taken = f"{self._pools[pool]} of {self._limits.pools[pool]} taken"
            held = _names([one.selector for one in self._holders if one.share.pool == pool])
            return f"waits for a place in pool {pool!r} ({taken}: {held})"
        if self._is_flow_full(share):
            held = _names([one.selector for one in self._holders if one.share.flow == flow])
            return f"waits for max_running of {flow} ({self._flows[flow]} of {share.flow_limit}: {held})"
        return "" if self.free else f"waits for max_running ({self._total} of {most})"

    def _count(self, share: Share) -> None:
        self._flows[share.flow] += 1
        self._pools[share.pool] += 1

    def _is_pool_full(self, share: Share) -> bool:
        """A pool that is not defined has no place."""
        return share.pool is not None and self._pools[share.pool] >= self._limits.pools.get(share.pool, 0)

    def _is_flow_full(self, share: Share) -> bool:
        return share.flow_limit is not None and self._flows[share.flow] >= share.flow_limit


def _names(selectors: Sequence[str]) -> str:
    more = len(selectors) - _MOST_NAMED
    named = ", ".join(selectors[:_MOST_NAMED])
    return f"{named} and {more} more" if more > 0 else named
