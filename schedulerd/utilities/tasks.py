"""What helps to write tasks, under Prefect 1's names."""

from schedulerd.authoring.defaults import defaults_from_attrs
from schedulerd.authoring.tagging import tags
from schedulerd.authoring.tasks import task

__all__ = ["defaults_from_attrs", "tags", "task"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
