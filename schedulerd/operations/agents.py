"""What can be asked about agents: to see them and their runs, to drain one and to resume it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.agents import Agent
from schedulerd.domain.audit import Change
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.errors import Conflict
from schedulerd.operations.audit import keep
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_LEAST_MEASURED: Final = 3
_MOST_MEASURED: Final = 20
_ESTIMATED: Final = frozenset({RunState.RUNNING, RunState.CANCELLING})


@dataclass(frozen=True, kw_only=True, slots=True)
class GoingRun:
    """A run that holds a place of an agent. `ends_at`: when runs of its flow usually have ended, where that is known
    and was asked for."""

    run: Run
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentRuns:
    """An agent and the runs that hold its places, the oldest first: those that a drain waits for."""

    agent: Agent
    runs: tuple[GoingRun, ...]


class Agents:
    """Agents, as somebody at an edge sees them. Each change is in the audit, by the transaction that makes it."""

    def __init__(self, database: Database, clock: Clock, *, wake: Callable[[], bool]) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._wake: Final = wake

    def get(self, name: str) -> AgentRuns:
        """The agent of this name and its runs. Raises `NotFound` with names that come near."""
        with self._database.read() as tx:
            agent = tx.agents.get(name)
            return _with_runs(tx, agent, tx.runs.live(agent.name))

    def drain(self, name: str, *, reason: str, by: Principal) -> AgentRuns:
        """Have the agent start no more runs until it is resumed, also after it was started anew; what it waits for then.

        From now on no run is claimed. Runs that go on do so; due times are decided as ever. Raises `NotFound`, and
        `Conflict` when it is drained already.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            agent = tx.agents.drain(name, at=now, by=by.name, reason=reason)
            keep(tx, by, Change(what="agents.drain", target=name, after={"reason": reason}), at=now)
            drained = _with_runs(tx, agent, tx.runs.live(agent.name))
        self._wake()
        return drained

    def resume(self, name: str, *, by: Principal) -> AgentRuns:
        """Have a drained agent start runs again. Raises `NotFound`, and `Conflict` when it is not drained."""
        with self._database.write() as tx:
            was = tx.agents.get(name).drain
            agent = tx.agents.resume(name)
            before = None if was is None else {"reason": was.reason, "by": was.by}
            keep(tx, by, Change(what="agents.resume", target=name, before=before), at=self._clock.now())
            resumed = _with_runs(tx, agent, tx.runs.live(agent.name))
        self._wake()
        return resumed

    def forget(self, name: str, *, by: Principal) -> Agent:
        """Forget an agent that is gone for good, with its drain; what it was. One that comes back is known again.

        Raises `NotFound`, and `Conflict` for one that lives, or whose runs were not settled.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            agent = tx.agents.get(name)
            if agent.is_online(now=now):
                raise Conflict(
                    said("the agent {name!r} lives: it gave a sign of life a moment ago", name=name)
                )
            if left := tx.runs.live(name):
                raise Conflict(
                    said(
                        "the agent {name!r} has runs that nobody has settled: {selector} for one",
                        name=name,
                        selector=left[0].selector,
                    ),
                    mend=said("start its daemon once more, on its state directory"),
                )
            tx.agents.remove(name)
            keep(tx, by, Change(what="agents.forget", target=name), at=now)
            return agent

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> tuple[AgentRuns, ...]:
        """The agents by name, those that are gone too."""
        with self._database.read() as tx:
            agents, live = tx.agents.all(), tx.runs.live()
            return tuple(_of(agent, live) for agent in agents)


def _of(agent: Agent, live: Iterable[Run]) -> AgentRuns:
    """Its runs among all of them; when each ends is not told, so that this stays cheap."""
    ours = tuple(GoingRun(run=run) for run in live if run.agent == agent.name)
    return AgentRuns(agent=agent, runs=ours)


def _with_runs(tx: Transaction, agent: Agent, live: Iterable[Run]) -> AgentRuns:
    found = tuple(live)
    usual = _usual(tx, found)
    return AgentRuns(agent=agent, runs=tuple(_going(run, usual) for run in found))


def _going(run: Run, usual: dict[FlowKey, timedelta]) -> GoingRun:
    took = usual.get(run.flow_key)
    if took is None or run.started_at is None or run.state not in _ESTIMATED:
        return GoingRun(run=run)
    return GoingRun(run=run, ends_at=run.started_at + took)


def _usual(tx: Transaction, found: Iterable[Run]) -> dict[FlowKey, timedelta]:
    """How long runs of each of the flows usually take: the median of the last that completed at once."""
    flows = list(dict.fromkeys(run.flow_key for run in found))[:_MOST_MEASURED]
    took = tx.runs.took_each(flows).items()
    return {flow: timedelta(seconds=median(some)) for flow, some in took if len(some) >= _LEAST_MEASURED}
