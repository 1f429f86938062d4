"""What flows are made of, where Prefect 1 has it: `from schedulerd.core import Edge, Flow, Parameter, Task`."""

from schedulerd.authoring.graphs import Flow
from schedulerd.authoring.imperative import Edge
from schedulerd.authoring.nodes import Parameter
from schedulerd.authoring.tasks import Task

__all__ = ["Edge", "Flow", "Parameter", "Task"]
