"""What `schedulerd.context` knows of the present run, under Prefect 1's names: `context.get("today")`."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import flow_run, task_run
from schedulerd.clock import microseconds, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextvars import Token
    from datetime import datetime
    from types import TracebackType
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.running import TaskRun

_A_DAY: Final = timedelta(days=1)
overrides: ContextVar[Mapping[str, Any]] = ContextVar("context_values", default={})  # noqa: B039  never changed


class ContextValues:
    """The values of the present run, by name; those of `with context(name=value)` go before."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name; the default where there is none here."""
        try:
            return self[name]
        except KeyError:
            return default

    def __getitem__(self, name: str) -> Any:
        held = overrides.get()
        if name in held:
            return held[name]
        for found, facts in ((task_run.get(), _OF_TASKS), (flow_run.get(), _OF_FLOWS), (None, _EVERYWHERE)):
            if name in facts and (found is not None or facts is _EVERYWHERE):
                value = facts[name](found)
                if value is not _MISSING:
                    return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name, _MISSING) is not _MISSING

    def keys(self) -> list[str]:
        """The names that have a value here."""
        names = dict.fromkeys((*overrides.get(), *_OF_TASKS, *_OF_FLOWS, *_EVERYWHERE))
        return [name for name in names if name in self]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def to_dict(self) -> dict[str, Any]:
        """All values."""
        return {name: self[name] for name in self.keys()}


class Overriding:
    """`with context(name=value)`: within the block these go before what the run says."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._token: Token[Mapping[str, Any]] | None = None

    def __enter__(self) -> ContextValues:
        self._token = overrides.set({**overrides.get(), **self._values})
        return ContextValues()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            overrides.reset(self._token)


_MISSING: Final = object()


def _date() -> datetime:
    """When the present flow run began, else now."""
    context = flow_run.get()
    at = context.started_at if context is not None and context.started_at else microseconds()
    return moment(at)


def _day(days: int, form: str) -> Callable[[Any], str]:
    return lambda _: (_date() + days * _A_DAY).strftime(form)


def _logger(_: Any) -> Any:
    from schedulerd.authoring.logs import get_run_logger

    return get_run_logger()


def _full_name(run: TaskRun) -> str:
    return run.name if run.map_index is None else f"{run.name}[{run.map_index}]"


def _map_index(run: TaskRun) -> Any:
    return _MISSING if run.map_index is None else run.map_index


def _loop_count(run: TaskRun) -> Any:
    return getattr(run, "loop_count", _MISSING)


def _loop_result(run: TaskRun) -> Any:
    return getattr(run, "loop_result", _MISSING) if getattr(run, "loop_count", 1) > 1 else _MISSING


def _scheduled(context: FlowContext) -> datetime:
    return context.facts.due_at or _date()


def _secrets(_: Any) -> dict[str, Any]:
    from schedulerd.authoring.secrets import local_secrets

    return local_secrets()


_OF_TASKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "task_name": lambda run: run.task.name,
    "task_run_name": lambda run: run.name,
    "task_full_name": _full_name,
    "task_slug": lambda run: run.task.slug or run.task.name,
    "task_tags": lambda run: set(run.tags),
    "task_run_id": lambda run: f"{run.context.facts.id}.{run.number}",
    "task_run_count": lambda run: run.attempt,
    "task_loop_count": _loop_count,
    "task_loop_result": _loop_result,
    "map_index": _map_index,
    "resume": lambda run: getattr(run, "is_resumed", False) or _MISSING,
}
_OF_FLOWS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "flow_name": lambda context: context.name,
    "flow_id": lambda context: context.name,
    "flow_run_id": lambda context: context.facts.id,
    "flow_run_name": lambda context: context.facts.name or context.name,
    "parameters": lambda context: dict(context.parameters),
    "scheduled_start_time": _scheduled,
    "run_count": lambda context: context.facts.attempt,
    "running_with_backend": lambda context: context.facts.is_by_daemon,
}
_EVERYWHERE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "date": lambda _: _date(),
    "today": _day(0, "%Y-%m-%d"),
    "yesterday": _day(-1, "%Y-%m-%d"),
    "tomorrow": _day(1, "%Y-%m-%d"),
    "today_nodash": _day(0, "%Y%m%d"),
    "yesterday_nodash": _day(-1, "%Y%m%d"),
    "tomorrow_nodash": _day(1, "%Y%m%d"),
    "logger": _logger,
    "secrets": _secrets,
}
