"""What runs come to over a stretch of time: how many ended how, how long they took, and the last ones of each flow.

Ends are counted by the hour, so that a stretch is one of whole hours; counting is kept when runs are removed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.states import GROUPS, RunState
from schedulerd.domain.tallies import Figures as Numbers
from schedulerd.domain.tallies import figures
from schedulerd.store.database import Database
from schedulerd.store.strips import Mark
from schedulerd.store.tallies import ALL_FLOWS
from schedulerd.store.transaction import Transaction

STRIP: Final = 30
_HOUR: Final = timedelta(hours=1)
_ENDED: Final = ("ok", "bad", "neutral")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """How many runs ended from `start` up to `end`, by group of states: ok, bad, neutral."""

    start: datetime
    end: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


class Figures:
    """Numbers about the history, as somebody at an edge sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def total(self, *, since: datetime, until: datetime, flow: str | None = None) -> Numbers:
        """What ended in these hours, of all flows or of one. Raises `NotFound`."""
        with self._database.read() as tx:
            key = _key(tx, flow)
            return figures(tx.tallies.of_flows([key], since=_down(since), until=_up(until))[key])

    def of_flows(self, names: Collection[str], *, since: datetime, until: datetime) -> Mapping[str, Numbers]:
        """The same for each of these flows. Raises `NotFound`."""
        with self._database.read() as tx:
            keys = tx.flows.keys(names)
            found = tx.tallies.of_flows(list(keys.values()), since=_down(since), until=_up(until))
        return {name: figures(found[key]) for name, key in keys.items()}

    def activity(
        self, *, since: datetime, until: datetime, bars: int, flow: str | None = None
    ) -> tuple[Bar, ...]:
        """At most `bars` bars of equally many hours, the oldest first; the last one ends with the hour of `until`.

        Raises `NotFound`.
        """
        start, end = _down(since), _up(until)
        hours = max(1, ceil((end - start) / _HOUR / max(1, bars)))
        step = hours * _HOUR
        with self._database.read() as tx:
            counts = tx.tallies.of_hours(_key(tx, flow), since=start, until=end, step=hours)
        ends = [end - number * step for number in reversed(range(ceil((end - start) / step)))]
        return tuple(
            Bar(start=max(start, one - step), end=one, counts=_by_group(counts.get(one, {}))) for one in ends
        )

    def strips(self, names: Collection[str], *, count: int = STRIP) -> Mapping[str, Sequence[Mark]]:
        """The last runs of each of these flows, the newest last. Raises `NotFound`."""
        with self._database.read() as tx:
            keys = tx.flows.keys(names)
        return self.strips_of(keys, count=count)

    def strips_of(self, flows: Mapping[str, FlowKey], *, count: int) -> Mapping[str, Sequence[Mark]]:
        """The same, of flows whose keys are known."""
        with self._database.read() as tx:
            found = tx.history.strips(list(flows.values()), count=count)
        return {name: found[key] for name, key in flows.items()}


def _by_group(counts: Mapping[RunState, int]) -> Mapping[str, int]:
    return {group: sum(counts.get(state, 0) for state in GROUPS[group]) for group in _ENDED}


def _key(tx: Transaction, flow: str | None) -> FlowKey:
    return ALL_FLOWS if flow is None else tx.flows.keys([flow])[flow]


def _down(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _up(moment: datetime) -> datetime:
    """The end of the hour that the moment is in, or that ends with it."""
    return moment if moment == _down(moment) else _down(moment) + _HOUR
