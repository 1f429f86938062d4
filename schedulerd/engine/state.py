"""States of the graph style, under Prefect 1's names: `from schedulerd.engine.state import Failed, Skipped`."""

from schedulerd.authoring.graph_states import (
    Cached,
    Cancelled,
    Failed,
    Finished,
    Looped,
    Mapped,
    Paused,
    Pending,
    Retrying,
    Running,
    Scheduled,
    Skipped,
    State,
    Success,
    TimedOut,
    TriggerFailed,
    ValidationFailed,
)

__all__ = [
    "Cached",
    "Cancelled",
    "Failed",
    "Finished",
    "Looped",
    "Mapped",
    "Paused",
    "Pending",
    "Retrying",
    "Running",
    "Scheduled",
    "Skipped",
    "State",
    "Success",
    "TimedOut",
    "TriggerFailed",
    "ValidationFailed",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
