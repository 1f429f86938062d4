"""The states of runs and tasks, and the one table of which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where a flow run is. The words are Prefect's, in lower case, the same in every layer."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class TaskState(StrEnum):
    """Where a task run is."""

    PENDING = "pending"
    RUNNING = "running"
    RETRYING = "retrying"
    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"


FINAL: Final = frozenset(
    {
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.TIMED_OUT,
        RunState.CRASHED,
        RunState.CANCELLED,
        RunState.SKIPPED,
    }
)
# A run that is skipped has not run, and so has not ended.
ENDED: Final = FINAL - {RunState.SKIPPED}
# A run in one of these holds a slot, and may have a process.
LIVE: Final = frozenset({RunState.PENDING, RunState.RUNNING, RunState.CANCELLING, RunState.PAUSED})
ACTIVE: Final = LIVE | {RunState.RETRYING}
BAD: Final = frozenset({RunState.FAILED, RunState.TIMED_OUT, RunState.CRASHED})
NOT_COMPLETED: Final = FINAL - {RunState.COMPLETED}
# What a filter calls them together.
GROUPS: Final[Mapping[str, frozenset[RunState]]] = {
    "active": ACTIVE,
    "waiting": frozenset({RunState.SCHEDULED}),
    "bad": BAD,
    "ok": frozenset({RunState.COMPLETED}),
    "neutral": frozenset({RunState.CANCELLED, RunState.SKIPPED}),
    "done": FINAL,
}
UNFINISHED_TASKS: Final = frozenset({TaskState.PENDING, TaskState.RUNNING, TaskState.RETRYING})
BAD_TASKS: Final = frozenset({TaskState.FAILED, TaskState.CRASHED, TaskState.TIMED_OUT})
# Which of the states of several task runs is told where there is room for one.
WORST_FIRST: Final = (
    *(TaskState.FAILED, TaskState.CRASHED, TaskState.TIMED_OUT, TaskState.RUNNING, TaskState.RETRYING),
    *(TaskState.PENDING, TaskState.CANCELLED, TaskState.UPSTREAM_FAILED, TaskState.SKIPPED),
    *(TaskState.COMPLETED, TaskState.CACHED),
)

MOVES: Final[Mapping[RunState, frozenset[RunState]]] = {
    RunState.SCHEDULED: frozenset({RunState.PENDING, RunState.CANCELLED, RunState.SKIPPED}),
    RunState.PENDING: frozenset(
        {RunState.RUNNING, RunState.CANCELLING, RunState.CANCELLED, RunState.FAILED, RunState.CRASHED}
    ),
    RunState.RUNNING: frozenset(
        {
            RunState.COMPLETED,
            RunState.FAILED,
            RunState.TIMED_OUT,
            RunState.CRASHED,
            RunState.CANCELLED,
            RunState.CANCELLING,
            RunState.RETRYING,
            RunState.PAUSED,
        }
    ),
    RunState.RETRYING: frozenset({RunState.PENDING, RunState.CANCELLED}),
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.CANCELLING, RunState.CANCELLED, RunState.CRASHED}),
    RunState.CANCELLING: frozenset({RunState.CANCELLED}),
    # by a person who asks for it
    **dict.fromkeys(
        (RunState.FAILED, RunState.TIMED_OUT, RunState.CRASHED, RunState.CANCELLED),
        frozenset({RunState.RETRYING}),
    ),
    **dict.fromkeys((RunState.COMPLETED, RunState.SKIPPED), frozenset()),
}

# A run that ended so may be tried again by a person.
TRIED_AGAIN: Final = frozenset(state for state in FINAL if RunState.RETRYING in MOVES[state])


def may_move(was: RunState, to: RunState) -> bool:
    """May a run go from `was` to `to`?"""
    return to in MOVES[was]
