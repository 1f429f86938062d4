"""Tasks, where Prefect 1 has them: `from schedulerd.core.task import Task`."""

from schedulerd.authoring.tasks import Task

__all__ = ["Task"]
