"""What `@task` is given for the graph style: checked, and set on the task."""

from __future__ import annotations

from schedulerd.authoring.options import GRAPH_OPTIONS, refuse_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from schedulerd.authoring.tasks import Task


def set_graph_options(task: Task, options: dict[str, Any]) -> None:
    """Set these options on the task; raises `TypeError` or `ValueError` for those that are none."""
    refuse_unknown("task", options, known=GRAPH_OPTIONS)
    given = {name: value for name, value in options.items() if value is not None}
    if (trigger := given.get("trigger")) is not None:
        task.trigger = function_of("trigger", trigger)
    if (skip := given.get("skip_on_upstream_skip")) is not None:
        task.skip_on_upstream_skip = bool(skip)
    if (nout := given.get("nout")) is not None:
        task.nout = _count(nout)
    if (slug := given.get("slug")) is not None:
        task.slug = str(slug)
    _set_handlers(task, given.get("state_handlers"), given.get("on_failure"))
    _set_result(task, given)
    if "retry_on" in given:
        _set_retry_on(task, given["retry_on"])
    if "cache_key" in given:
        _set_cache_key(task, given["cache_key"])


def handlers_of(given: Any) -> tuple[Callable[..., Any], ...]:
    """The state handlers that an option gives: a function, several, or None. Raises `TypeError` for what is none."""
    several = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    return tuple([function_of("state_handlers", handler) for handler in several])


def _set_handlers(task: Task, handlers: Any, on_failure: Any) -> None:
    task.state_handlers = handlers_of(handlers)
    if on_failure is not None:
        task.state_handlers += (when_failed(function_of("on_failure", on_failure)),)


def when_failed(on_failure: Callable[..., Any]) -> Callable[..., Any]:
    """A state handler that calls this, with the task or flow and its state, when it has failed."""

    def handler(task: Task, old: Any, new: Any) -> Any:
        if new.is_failed():
            on_failure(task, new)
        return new

    return handler


def _set_result(task: Task, given: dict[str, Any]) -> None:
    task.result, task.target = given.get("result"), given.get("target")
    task.checkpoint = bool(given.get("checkpoint", True))
    if task.target is not None and not isinstance(task.target, str) and not callable(task.target):
        raise TypeError(
            f"target must be a text such as 'rows-{{today}}.json', or a function, not {task.target!r}"
        )
    if task.result is not None and not hasattr(task.result, "read"):
        raise TypeError(f"result must be a place such as LocalResult(dir=...), not {task.result!r}")


def _set_retry_on(task: Task, given: Any) -> None:
    kinds = tuple(given) if isinstance(given, list | tuple | set | frozenset) else (given,)
    if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        raise TypeError(f"retry_on must be a class of exceptions, or several, not {given!r}")
    if not task.retries_given.limit:
        raise ValueError("retry_on counts only where there are retries: give max_retries too")
    task.retries_given.condition = lambda task, run, state: isinstance(state.data, kinds)


def _set_cache_key(task: Task, given: Any) -> None:
    if not isinstance(given, str):
        raise TypeError(f"cache_key must be a text, not {given!r}")
    from schedulerd.authoring.cache_policies import CacheKeyFnPolicy

    if task.caching is None:
        raise ValueError("cache_key counts only where values are kept: give cache_for too")
    task.caching.policy = CacheKeyFnPolicy(lambda context, parameters: given)


def function_of(what: str, given: Any) -> Callable[..., Any]:
    """What an option of this name gives, which must be a function; raises `TypeError` where it is none."""
    if not callable(given):
        raise TypeError(f"{what} must be a function, not {given!r}")
    made: Callable[..., Any] = given
    return made


def _count(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(f"nout must be a whole number from 0, not {given!r}")
    return int(given)
