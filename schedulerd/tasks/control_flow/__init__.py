"""Branches of a graph, under Prefect 1's names: `from schedulerd.tasks.control_flow import case, merge`."""

from schedulerd.authoring.control_flow import ifelse, merge, switch
from schedulerd.tasks.control_flow.case import case
from schedulerd.tasks.control_flow.filter import FilterTask

__all__ = ["FilterTask", "case", "ifelse", "merge", "switch"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
