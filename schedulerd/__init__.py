"""schedulerd: a scheduling daemon for Python flows, and the API that flow files are written with."""

from __future__ import annotations

from sys import meta_path

from schedulerd.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd import context, runtime, triggers
    from schedulerd.authoring.annotations import allow_failure, flatten, mapped, quote, unmapped
    from schedulerd.authoring.control_flow import case
    from schedulerd.authoring.functions import flow
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.logs import get_run_logger
    from schedulerd.authoring.nodes import Parameter
    from schedulerd.authoring.pausing import pause_flow_run, resume_flow_run, suspend_flow_run
    from schedulerd.authoring.run_contexts import get_run_context
    from schedulerd.authoring.states import State
    from schedulerd.authoring.tagging import tags
    from schedulerd.authoring.tasks import Task, task

__all__ = [
    "Flow",
    "Parameter",
    "State",
    "Task",
    "__version__",
    "allow_failure",
    "case",
    "context",
    "flatten",
    "flow",
    "get_run_context",
    "get_run_logger",
    "mapped",
    "pause_flow_run",
    "quote",
    "resume_flow_run",
    "runtime",
    "suspend_flow_run",
    "tags",
    "task",
    "triggers",
    "unmapped",
]

# Loaded when they are first asked for: every flow file imports this module, and few need all of it; so do the command
# line and the daemon, which need none of it.
_LATE = {
    "Flow": "schedulerd.authoring.graphs",
    "Parameter": "schedulerd.authoring.nodes",
    "State": "schedulerd.authoring.states",
    "Task": "schedulerd.authoring.tasks",
    "allow_failure": "schedulerd.authoring.annotations",
    "case": "schedulerd.authoring.control_flow",
    "flatten": "schedulerd.authoring.annotations",
    "flow": "schedulerd.authoring.functions",
    "get_run_context": "schedulerd.authoring.run_contexts",
    "get_run_logger": "schedulerd.authoring.logs",
    "mapped": "schedulerd.authoring.annotations",
    "pause_flow_run": "schedulerd.authoring.pausing",
    "resume_flow_run": "schedulerd.authoring.pausing",
    "suspend_flow_run": "schedulerd.authoring.pausing",
    "quote": "schedulerd.authoring.annotations",
    "tags": "schedulerd.authoring.tagging",
    "task": "schedulerd.authoring.tasks",
    "unmapped": "schedulerd.authoring.annotations",
}


def __getattr__(name: str) -> Any:
    if name in ("context", "runtime", "triggers"):
        from importlib import import_module

        return import_module(f"schedulerd.{name}")
    if name not in _LATE:
        from schedulerd.authoring.prefect_names import not_there

        raise not_there("schedulerd", name, has=__all__)
    module = __import__(_LATE[name], fromlist=(name,))  # a bare interpreter has not loaded importlib
    return globals().setdefault(name, getattr(module, name))


class _Absent:
    """Says of Prefect's modules that are not here what to use instead. Asked last, and only of what nobody else found."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Raise `ModuleNotFoundError` for a module of Prefect's; find nothing."""
        if name.startswith("schedulerd."):
            from schedulerd.authoring.prefect_names import module_not_there

            if (error := module_not_there(name)) is not None:
                raise error


meta_path.append(_Absent)
