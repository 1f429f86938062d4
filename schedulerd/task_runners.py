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
    from schedulerd.authoring.dask_runner import DaskTaskRunner
    from schedulerd.authoring.process_runner import ProcessPoolTaskRunner

__all__ = [
    "ConcurrentTaskRunner",
    "DaskTaskRunner",
    "ProcessPoolTaskRunner",
    "SequentialTaskRunner",
    "TaskRunner",
    "ThreadPoolTaskRunner",
]

# Loaded when they are first asked for: most flows do with threads.
_LATE = {
    "DaskTaskRunner": "schedulerd.authoring.dask_runner",
    "ProcessPoolTaskRunner": "schedulerd.authoring.process_runner",
}

if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        if name in _LATE:
            from importlib import import_module

            return getattr(import_module(_LATE[name]), name)
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
