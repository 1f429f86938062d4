"""What flows are made of, where Prefect 1 has it: `from schedulerd.core import Edge, Flow, Parameter, Task`."""

from schedulerd.authoring.graphs import Flow
from schedulerd.authoring.imperative import Edge
from schedulerd.authoring.nodes import Parameter
from schedulerd.authoring.tasks import Task

__all__ = ["Edge", "Flow", "Parameter", "Task"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
