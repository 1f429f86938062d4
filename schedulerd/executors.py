"""Where the tasks of a graph run, under Prefect 1's names: `flow.executor = LocalDaskExecutor(num_workers=8)`."""

from schedulerd.authoring.executors import DaskExecutor, Executor, LocalDaskExecutor, LocalExecutor

__all__ = ["DaskExecutor", "Executor", "LocalDaskExecutor", "LocalExecutor"]
