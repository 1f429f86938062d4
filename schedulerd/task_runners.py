"""Where submitted tasks run, under Prefect's names: `@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))`."""

from __future__ import annotations

from schedulerd.authoring.runners import (
    ConcurrentTaskRunner,
    SequentialTaskRunner,
    TaskRunner,
    ThreadPoolTaskRunner,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.process_runner import ProcessPoolTaskRunner

__all__ = [
    "ConcurrentTaskRunner",
    "ProcessPoolTaskRunner",
    "SequentialTaskRunner",
    "TaskRunner",
    "ThreadPoolTaskRunner",
]

# Loaded when they are first asked for: most flows do with threads.
_LATE = {"ProcessPoolTaskRunner": "schedulerd.authoring.process_runner"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LATE:
        raise AttributeError(f"schedulerd.task_runners has no {name}; it has {', '.join(__all__)}")
    return getattr(import_module(_LATE[name]), name)
