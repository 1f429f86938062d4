"""The options of `@task`: their names, those of Prefect 1 for the same things, and what may be given together."""

from __future__ import annotations

from schedulerd.authoring.options import GRAPH_OPTIONS, refuse_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.caching import Caching

CACHING = (
    "cache_policy",
    "cache_key_fn",
    "cache_expiration",
    "refresh_cache",
    "persist_result",
    "result_storage",
)
_KNOWN = (
    *("name", "description", "tags", "retries", "retry_delay_seconds", "retry_jitter_factor"),
    *("retry_condition_fn", "timeout_seconds", "task_run_name", "log_prints", "version", "own_process"),
    *("on_running", "on_completion"),
    *(*CACHING, "max_retries", "retry_delay", "log_stdout", "timeout", "cache_for"),
    *GRAPH_OPTIONS,
)
# The names of Prefect 1 for the same things.
_SAME = {
    "max_retries": "retries",
    "retry_delay": "retry_delay_seconds",
    "log_stdout": "log_prints",
    "timeout": "timeout_seconds",
    "cache_for": "cache_expiration",
}


def check_options(options: dict[str, Any]) -> None:
    """Raise `TypeError` or `ValueError` for options that `@task` does not take; Prefect 1's names become ours."""
    refuse_unknown("task", options, known=_KNOWN)
    delay = options.get("retry_delay", options.get("retry_delay_seconds"))
    if options.get("max_retries") and delay is None and "retries" not in options:
        raise ValueError(
            "task(max_retries=...) needs retry_delay too, a timedelta; with retries=... there need be no delay"
        )
    for old, new in _SAME.items():
        _translate(options, old=old, new=new)


def _translate(options: dict[str, Any], *, old: str, new: str) -> None:
    if old not in options:
        return
    if new in options:
        raise TypeError(f"task() takes {new} or {old}, not both: they are the same")
    options[new] = options.pop(old)


def caching_given(options: dict[str, Any]) -> Caching | None:
    """How its values are kept and found again; None where they are not."""
    refuse_unknown("task", options, known=CACHING)
    if all(value is None for value in options.values()):
        return None
    from schedulerd.authoring.caching import caching_of  # late: most tasks are not cached

    return caching_of(**options)
