"""What helps to write tasks, under Prefect 1's names."""

from schedulerd.authoring.defaults import defaults_from_attrs
from schedulerd.authoring.tagging import tags
from schedulerd.authoring.tasks import task

__all__ = ["defaults_from_attrs", "tags", "task"]
