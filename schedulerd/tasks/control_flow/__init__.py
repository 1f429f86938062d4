"""Branches of a graph, under Prefect 1's names: `from schedulerd.tasks.control_flow import case, merge`."""

from schedulerd.authoring.control_flow import ifelse, merge, switch
from schedulerd.tasks.control_flow.case import case
from schedulerd.tasks.control_flow.filter import FilterTask

__all__ = ["FilterTask", "case", "ifelse", "merge", "switch"]
