"""What a claim does, written down once more, run by run, with lists in place of a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import ACTIVE, FINAL, LIVE, MOVES, RunState


@dataclass(kw_only=True, slots=True)
class ModelRun:
    """What the model knows of a run. `moves` are those that it went through; `skipped` says why it was.

    One that was told to end, and has ended, is no longer told to.
    """

    due_at: datetime
    schedule: str | None
    caught_up: bool = False
    flow: str = ""
    pool: str | None = None
    priority: int = 0
    passed_over: bool = False
    state: RunState = RunState.SCHEDULED
    queued: bool = False
    skipped: SkipReason | None = None
    told_to_end: bool = False
    agent: str | None = None
    moves: int = 0
    retry_at: datetime | None = None
    bytes: int = 0
    lines: list[str] = field(default_factory=list)

    def move(self, to: RunState, at: datetime | None = None) -> bool:
        """Move, if the table of moves allows it. One that is to be tried again is so from then on, with new files."""
        if to not in MOVES[self.state]:
            return False
        self.state = to
        self.moves += 1
        self.retry_at = at if to is RunState.RETRYING else None
        if to is RunState.RETRYING:
            self.bytes = 0
        if to in FINAL:
            self.told_to_end = False
        return True

    def skip(self, reason: SkipReason) -> None:
        """Be skipped."""
        self.skipped = reason
        assert self.move(RunState.SKIPPED)


@dataclass(kw_only=True, slots=True)
class ModelClaim:
    """One claim: of these runs, under these policies and limits, at this moment."""

    runs: Mapping[RunKey, ModelRun]
    policies: Mapping[str, Policies]
    flow_limits: Mapping[str, int]
    pools: Mapping[str, int]
    now: datetime

    def take(self, free: int, agent: str) -> list[RunKey]:
        """Start at most so many, by priority and then the oldest due first."""
        taken: list[RunKey] = []
        for schedule in self.policies:
            self.settle(schedule)
        for again in sorted(self.runs, key=self.retry_order):
            run = self.runs[again]
            is_due = run.retry_at is not None and run.retry_at <= self.now and not run.told_to_end
            if is_due and len(taken) < free and self.has_room(run):
                run.agent = agent
                assert run.move(RunState.PENDING)
                taken.append(again)
        while len(taken) < free and (key := self.next()) is not None:
            run = self.runs[key]
            run.agent, run.queued = agent, False
            assert run.move(RunState.PENDING)
            taken.append(key)
            self.after_start(run)
        return sorted(taken, key=self.order)

    def retry_order(self, key: RunKey) -> tuple[int, datetime, RunKey]:
        """In which order runs are tried again."""
        return -self.runs[key].priority, self.runs[key].retry_at or self.now, key

    def order(self, key: RunKey) -> tuple[int, datetime, RunKey]:
        """In which order runs start."""
        return -self.runs[key].priority, self.runs[key].due_at, key

    def has_room(self, run: ModelRun) -> bool:
        """Is there a place for it, in its pool and of its flow?"""
        live = [one for one in self.runs.values() if one.state in LIVE]
        in_pool = sum(one.pool == run.pool for one in live)
        of_flow = sum(one.flow == run.flow for one in live)
        fits = run.pool is None or in_pool < self.pools.get(run.pool, 0)
        return fits and of_flow < self.flow_limits.get(run.flow, 1_000)

    def after_start(self, run: ModelRun) -> None:
        """What becomes of those that wait beside one that has started."""
        if run.schedule is not None and self.policies[run.schedule].overlap is Overlap.REPLACE:
            if any(not one.caught_up for one in self.due(run.schedule)):
                *older, newest = [one for one in self.due(run.schedule) if not one.caught_up]
                for one in older if run.caught_up else [*older, newest]:
                    one.skip(SkipReason.REPLACED)
                newest.queued = True
            self.settle(run.schedule)
            missed = [one for one in self.due(run.schedule) if one.caught_up]
            if missed and not run.caught_up:
                missed[0].passed_over = True
        self.settle(run.schedule)

    def due(self, schedule: str | None) -> list[ModelRun]:
        """The runs of a schedule that wait, the oldest due first."""
        keys = sorted(self.runs, key=lambda key: (self.runs[key].due_at, key))
        found = [self.runs[key] for key in keys if self.runs[key].state is RunState.SCHEDULED]
        return [run for run in found if run.schedule == schedule and run.due_at <= self.now]

    def active(self, schedule: str) -> list[ModelRun]:
        """The runs of a schedule that go on."""
        return [run for run in self.runs.values() if run.schedule == schedule and run.state in ACTIVE]

    def settle(self, schedule: str | None) -> None:
        """Decide what becomes of each run that has come while one of its schedule goes on."""
        if schedule is None or not self.active(schedule):
            return
        policies = self.policies[schedule]
        for run in self.due(schedule):
            if run.queued:
                continue
            waiting = [one for one in self.due(schedule) if one.queued and not one.caught_up]
            if run.caught_up:
                run.queued = True
            elif policies.overlap is Overlap.SKIP:
                run.skip(SkipReason.OVERLAP)
            elif policies.overlap is Overlap.QUEUE and len(waiting) < policies.queue_limit:
                run.queued = True
            elif policies.overlap is Overlap.QUEUE:
                run.skip(SkipReason.QUEUE_FULL)
            elif policies.overlap is Overlap.REPLACE:
                self.newest(schedule).queued = True
                for one in self.active(schedule):
                    one.told_to_end |= one.state is not RunState.CANCELLING

    def newest(self, schedule: str) -> ModelRun:
        """The newest on time of a schedule that replaces; the others are skipped."""
        *older, newest = [run for run in self.due(schedule) if not run.caught_up]
        for run in older:
            run.skip(SkipReason.REPLACED)
        return newest

    def next(self) -> RunKey | None:
        """The run that starts next."""
        for key in sorted(self.runs, key=self.order):
            run = self.runs[key]
            if run.state is not RunState.SCHEDULED or run.due_at > self.now or not self.has_room(run):
                continue
            if run.schedule is None:
                return key
            overlap = self.policies[run.schedule].overlap
            if overlap is Overlap.ALLOW:
                before = [one for one, other in self.runs.items() if other in self.active(run.schedule)]
                if run.caught_up and any(self.due_before(one, key) for one in before):
                    continue
                return key
            if self.active(run.schedule):
                continue
            if overlap is Overlap.REPLACE:
                chosen = self.successor(run.schedule)
                return next(key for key, one in self.runs.items() if one is chosen)
            return key
        return None

    def due_before(self, one: RunKey, other: RunKey) -> bool:
        """Is the one due before the other?"""
        return (self.runs[one].due_at, one) < (self.runs[other].due_at, other)

    def successor(self, schedule: str) -> ModelRun:
        """Of those that wait: the newest on time, but for one that has been passed over."""
        on_time = [run for run in self.due(schedule) if not run.caught_up]
        missed = [run for run in self.due(schedule) if run.caught_up]
        return missed[0] if not on_time or (missed and missed[0].passed_over) else on_time[-1]
