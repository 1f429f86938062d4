"""What `@task`, `@flow` and `Flow` are given: checked when it is given, so that the error names the user's line."""

from __future__ import annotations

from schedulerd.domain.pools import POOL_NAME, PRIORITY_RANGE, is_pool_name, is_priority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# Arguments of a call that are not the function's: no function of a flow or task may have one of these names.
CALL_WORDS = frozenset({"return_state", "wait_for"})
# Those of a call that draws a node, unless the task's function has them itself.
DRAWING_WORDS = frozenset({"flow", "upstream_tasks", "task_args", "mapped"})
# Options of a task that count in the graph style only; they are read in graph_options.py.
GRAPH_OPTIONS = (
    *("trigger", "skip_on_upstream_skip", "nout", "slug", "state_handlers", "on_failure", "result", "target"),
    *("checkpoint", "retry_on", "cache_key"),
)


def refuse_unknown(what: str, options: Mapping[str, Any], *, known: Iterable[str]) -> None:
    """Raise `TypeError` that names the keywords that `what` does not know, and those that it knows."""
    known = tuple(known)
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"{what}() does not know {', '.join(unknown)}; it knows {', '.join(known)}")


def seconds_of(what: str, given: Any) -> float:
    """A number of seconds or a timedelta as seconds; never negative, never infinite."""
    seconds = given.total_seconds() if hasattr(given, "total_seconds") else given
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{what} must be a number of seconds or a timedelta, not {given!r}")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{what} must be 0 or more, and finite, not {given!r}")
    return float(seconds)


def timeout_of(given: Any) -> float | None:
    """A limit in seconds, None for that of the daemon's settings, 0 for none at all, which is "unlimited"."""
    if given is None:
        return None
    if given == "unlimited":
        return 0.0
    seconds = seconds_of("timeout_seconds", given)
    if seconds == 0:
        raise ValueError('timeout_seconds must be more than 0; for no limit it is "unlimited"')
    return seconds


def task_timeout_of(given: Any) -> float | None:
    """The limit of a task in seconds, None for none."""
    if given is None:
        return None
    seconds = seconds_of("timeout_seconds", given)
    if seconds == 0:
        raise ValueError("timeout_seconds must be more than 0; leave it out for no limit")
    return seconds


def flag_of(what: str, given: Any) -> bool | None:
    """True, False, or None for what holds around it."""
    if given is not None and not isinstance(given, bool):
        raise TypeError(f"{what} must be True or False, not {given!r}")
    return given


def template_of(what: str, given: Any) -> Any:
    """A template of names, `"extract {region}"`, a function that makes one, or None."""
    if given is not None and not isinstance(given, str) and not callable(given):
        raise TypeError(f"{what} must be a text such as 'extract {{region}}', or a function, not {given!r}")
    return given


def pool_of(given: Any) -> str | None:
    """The name of a pool, or None for no pool."""
    if given is None:
        return None
    if not is_pool_name(given):
        raise ValueError(f"pool must be the name of a pool, {POOL_NAME}, not {given!r}")
    return str(given)


def priority_of(given: Any) -> int:
    """A priority; higher ones start first."""
    if not is_priority(given):
        raise ValueError(f"priority must be {PRIORITY_RANGE}, not {given!r}")
    return int(given)


def max_running_of(given: Any) -> int | None:
    """How many runs may be live at the same time, or None for no limit."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(
            f"max_running must be a whole number of at least 1, not {given!r}; leave it out for no limit"
        )
    return given


def tags_of(given: str | Iterable[str]) -> tuple[str, ...]:
    """Tags in the order given, each once; a single string is one tag."""
    several = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(tag, str) for tag in several):
        raise TypeError(f"tags must be strings, not {given!r}")
    return tuple(dict.fromkeys(several))
