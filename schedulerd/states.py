"""States of flows and tasks, under Prefect 3's names: `from schedulerd.states import Completed, Failed`."""

from schedulerd.authoring.states import (
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    Paused,
    Pending,
    Running,
    Scheduled,
    State,
    StateType,
)

__all__ = [
    "Cancelled",
    "Cancelling",
    "Completed",
    "Crashed",
    "Failed",
    "Paused",
    "Pending",
    "Running",
    "Scheduled",
    "State",
    "StateType",
]
