"""What belongs to tasks, under Prefect's names: `from schedulerd.tasks import task_input_hash, exponential_backoff`."""

from schedulerd.authoring.cache_policies import task_input_hash
from schedulerd.authoring.retries import exponential_backoff
from schedulerd.authoring.tasks import Task, task

__all__ = ["Task", "exponential_backoff", "task", "task_input_hash"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
