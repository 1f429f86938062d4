"""Where submitted tasks run, under Prefect's names: `@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))`."""

from schedulerd.authoring.runners import (
    ConcurrentTaskRunner,
    SequentialTaskRunner,
    TaskRunner,
    ThreadPoolTaskRunner,
)

__all__ = ["ConcurrentTaskRunner", "SequentialTaskRunner", "TaskRunner", "ThreadPoolTaskRunner"]
