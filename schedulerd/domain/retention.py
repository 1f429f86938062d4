"""What of the history is kept, and what has become too old. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.states import FINAL, RunState

SHORTEST_OF_CAUSES: Final = timedelta(days=30)
"""So long it is known at least which causes were decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long runs and their logs are kept after they ended, and who changed what; the newest `keep_per_flow` runs of a flow always are."""

    runs: timedelta = timedelta(days=90)
    logs: timedelta = timedelta(days=30)
    keep_per_flow: int = 100
    audit: timedelta = timedelta(days=365)

    def oldest_cause(self, now: datetime) -> datetime:
        """The moment before which what was decided of causes is forgotten."""
        return now - max(self.runs, SHORTEST_OF_CAUSES)

    def oldest_kept(self, now: datetime) -> datetime:
        """The moment up to which something may have become too old."""
        return now - min(self.runs, self.logs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Age:
    """What a run's age is told by: `newer` is how many runs its flow has had since."""

    state: RunState
    ended_at: datetime | None
    newer: int
    has_log: bool


def is_run_too_old(age: Age, retention: Retention, *, now: datetime) -> bool:
    """Is the run to be removed, with all that belongs to it? Never one that has not ended."""
    return _is_over(age, retention) and _ended_before(age, now - retention.runs)


def is_log_too_old(age: Age, retention: Retention, *, now: datetime) -> bool:
    """Is the log of the run to be removed?"""
    return age.has_log and _is_over(age, retention) and _ended_before(age, now - retention.logs)


def _is_over(age: Age, retention: Retention) -> bool:
    return age.state in FINAL and age.newer >= retention.keep_per_flow


def _ended_before(age: Age, moment: datetime) -> bool:
    return age.ended_at is not None and age.ended_at < moment
