"""What code within a run can ask about it, under Prefect's names.

`from schedulerd.context import get_run_context` as in Prefect 3; and as in Prefect 1 the module itself holds values of the
run: `schedulerd.context.get("logger")`, `schedulerd.context.today`, `with schedulerd.context(day="2026-11-27"): ...`.
"""

import sys
from types import ModuleType
from typing import Any

from schedulerd.authoring.context_values import ContextValues, Overriding
from schedulerd.authoring.run_contexts import FlowRunContext, TaskRunContext, get_run_context
from schedulerd.authoring.tagging import tags

__all__ = ["FlowRunContext", "TaskRunContext", "get_run_context", "tags"]


class _Context(ModuleType):
    """The module as a mapping of the present run's values."""

    def __call__(self, *several: dict[str, Any], **values: Any) -> Overriding:
        return Overriding({name: value for one in (*several, values) for name, value in one.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        values = ContextValues()
        try:
            return values[name]
        except KeyError:
            known = ", ".join((*__all__, *values.keys()))
            raise AttributeError(f"schedulerd.context has no {name} here; it has {known}") from None

    def __getitem__(self, name: str) -> Any:
        return ContextValues()[name]

    def __contains__(self, name: object) -> bool:
        return name in ContextValues()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name; the default where there is none here."""
        return ContextValues().get(name, default)

    def keys(self) -> list[str]:
        """The names that have a value here."""
        return ContextValues().keys()

    def to_dict(self) -> dict[str, Any]:
        """All values."""
        return ContextValues().to_dict()


sys.modules[__name__].__class__ = _Context
