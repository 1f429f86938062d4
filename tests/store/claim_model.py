"""What a claim does, written down once more, run by run, with lists in place of a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import ACTIVE, MOVES, RunState


@dataclass(kw_only=True, slots=True)
class ModelRun:
    """What the model knows of a run. `moves` are those that it went through; `skipped` says why it was."""

    due_at: datetime
    schedule: str | None
    caught_up: bool = False
    state: RunState = RunState.SCHEDULED
    queued: bool = False
    skipped: SkipReason | None = None
    told_to_end: bool = False
    agent: str | None = None
    moves: int = 0
    bytes: int = 0
    lines: list[str] = field(default_factory=list)

    def move(self, to: RunState) -> bool:
        """Move, if the table of moves allows it."""
        if to not in MOVES[self.state]:
            return False
        self.state = to
        self.moves += 1
        return True

    def skip(self, reason: SkipReason) -> None:
        """Be skipped."""
        self.skipped = reason
        assert self.move(RunState.SKIPPED)


@dataclass(kw_only=True, slots=True)
class ModelClaim:
    """One claim: of these runs, under these policies, at this moment."""

    runs: Mapping[RunKey, ModelRun]
    policies: Mapping[str, Policies]
    now: datetime

    def take(self, free: int, agent: str) -> list[RunKey]:
        """Start at most so many, the oldest due first."""
        taken: list[RunKey] = []
        for schedule in self.policies:
            self.settle(schedule)
        while len(taken) < free and (key := self.next()) is not None:
            run = self.runs[key]
            run.agent, run.queued = agent, False
            assert run.move(RunState.PENDING)
            taken.append(key)
            self.settle(run.schedule)
        return sorted(taken, key=lambda key: (self.runs[key].due_at, key))

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
        for key in sorted(self.runs, key=lambda key: (self.runs[key].due_at, key)):
            run = self.runs[key]
            if run.state is not RunState.SCHEDULED or run.due_at > self.now:
                continue
            if run.schedule is None:
                return key
            overlap = self.policies[run.schedule].overlap
            if overlap is Overlap.ALLOW and not run.caught_up:
                return key
            if self.active(run.schedule):
                continue
            if overlap is Overlap.REPLACE and not all(one.caught_up for one in self.due(run.schedule)):
                newest = self.newest(run.schedule)
                return next(key for key, one in self.runs.items() if one is newest)
            return key
        return None
