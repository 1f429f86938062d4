"""Figures of how things go on, for whoever watches over many servers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.agents import Agent
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How it was at a moment. `ended` has all runs that ended and are counted, `going` those that wait or go on (each up to 1,000).

    `lag` is for how long a schedule has been due that was not decided yet.
    """

    at: datetime
    ended: Mapping[RunState, int]
    going: Mapping[RunState, int]
    lag: timedelta
    database_bytes: int
    agents: tuple[Agent, ...]


class Measures:
    """What can be counted cheaply, also over a million runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def take(self) -> Measured:
        """How it is now. Raises `StoreUnavailable`."""
        now = self._clock.now()
        with self._database.read() as tx:
            next_due = tx.schedules.next_due()
            return Measured(
                at=now,
                ended=tx.tallies.ended(),
                going=Counter(mark.state for mark in tx.snapshots.take().going.values()),
                lag=timedelta() if next_due is None else max(now - next_due, timedelta()),
                database_bytes=tx.size.in_bytes(),
                agents=tuple(tx.agents.all()),
            )
