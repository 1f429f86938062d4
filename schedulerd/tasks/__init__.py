"""What belongs to tasks, under Prefect's names: `from schedulerd.tasks import task_input_hash, exponential_backoff`."""

from schedulerd.authoring.cache_policies import task_input_hash
from schedulerd.authoring.retries import exponential_backoff
from schedulerd.authoring.tasks import Task, task

__all__ = ["Task", "exponential_backoff", "task", "task_input_hash"]
