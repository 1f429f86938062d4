"""Which runs go on at a moment, how far each is, and how the agents stand: as little as tells two moments apart. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.states import RunState

_DIGEST_BYTES: Final = 9


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMark:
    """Where a run is. `moves`, `lines` and `taken` (bytes of its journal) only grow: what is the same has not changed."""

    key: RunKey
    id: RunId
    flow: str
    state: RunState
    attempt: int
    moves: int
    lines: int
    taken: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentMark:
    """How an agent stands. A sign of life alone changes nothing, for as long as it comes in time."""

    started_at: datetime
    is_online: bool
    drained_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The runs that are to run or go on, and those that are watched beside them; `newest` is the last that was recorded.

    `agents` by name, where they were asked for.
    """

    newest: RunKey
    going: Mapping[RunKey, RunMark]
    watched: Mapping[RunId, RunMark]
    agents: Mapping[str, AgentMark] = field(default_factory=dict)

    def fingerprint(self, *, every: bool, of: Iterable[RunId] = (), agents: bool = False) -> str:
        """A text that is another when something changed: among `every` run, of the runs named, among the agents."""
        told = blake2b(digest_size=_DIGEST_BYTES)
        if every:
            told.update(repr((self.newest, sorted(self.going.items()))).encode())
        if agents:
            told.update(repr(sorted(self.agents.items())).encode())
        for run in sorted(of):
            told.update(repr(self.watched.get(run)).encode())
        return told.hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """How many flows and schedules are in force, and when the first of these is due next."""

    flows: int
    schedules: int
    next_due: datetime | None


def changed_runs(was: Snapshot, now: Snapshot) -> int:
    """How many runs were recorded, went on, or ended in between."""
    new = {key for key in now.going if key > was.newest}
    moved = sum(
        1
        for key, mark in now.going.items()
        if key not in new
        and (key not in was.going or (was.going[key].state, was.going[key].moves) != (mark.state, mark.moves))
    )
    gone = len(was.going.keys() - now.going.keys())
    return max(0, now.newest - was.newest) + moved + gone
