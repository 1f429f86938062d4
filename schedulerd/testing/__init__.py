"""Tests of flows: run one against a temporary store, and look at its history.

with schedulerd.testing.history() as seen:      # flows that are called in here run as ever, and are recorded
    etl(day=date(2026, 11, 27))
run = seen.last                                 # its state, tasks, log, result

run = schedulerd.testing.run_flow("flows/etl.py")   # a daemon of its own spawns it, as in production

Nothing of the store is loaded before one of these is used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.testing.daemons import TestDaemon, daemon, run_flow
    from schedulerd.testing.here import History, history
    from schedulerd.testing.histories import RunHistory, TaskHistory

__all__ = ["History", "RunHistory", "TaskHistory", "TestDaemon", "daemon", "history", "run_flow"]

_LATE = {
    "History": "schedulerd.testing.here",
    "RunHistory": "schedulerd.testing.histories",
    "TaskHistory": "schedulerd.testing.histories",
    "TestDaemon": "schedulerd.testing.daemons",
    "daemon": "schedulerd.testing.daemons",
    "history": "schedulerd.testing.here",
    "run_flow": "schedulerd.testing.daemons",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LATE:
        raise AttributeError(f"schedulerd.testing has no {name}; it has {', '.join(__all__)}")
    return getattr(import_module(_LATE[name]), name)
