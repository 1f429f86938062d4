"""Where the tasks of a graph run, under the names that Prefect had for it before 0.14."""

from schedulerd.authoring.executors import DaskExecutor, Executor, LocalDaskExecutor, LocalExecutor

__all__ = ["DaskExecutor", "Executor", "LocalDaskExecutor", "LocalExecutor"]
