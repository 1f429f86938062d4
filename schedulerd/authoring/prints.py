"""`print` in a flow or task with `log_prints`: its text becomes a line of the run's log."""

from __future__ import annotations

import builtins

from schedulerd.authoring.context import flow_run, task_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_print = builtins.print


def log_prints() -> None:
    """From now on `print` looks where it is called; what is printed elsewhere, or to a file, goes where it went."""
    builtins.print = _print_here


def _print_here(
    *values: Any, sep: str | None = " ", end: str | None = "\n", file: Any = None, **more: Any
) -> None:
    if file is not None or not _is_logged():
        _print(*values, sep=sep, end=end, file=file, **more)
        return
    from schedulerd.authoring.logs import get_run_logger

    text = (" " if sep is None else sep).join(map(str, values)) + ("" if end is None or end == "\n" else end)
    get_run_logger().info("%s", text)


def _is_logged() -> bool:
    """The nearest that says yes or no: the task, the flow, the flow around it."""
    task, flow = task_run.get(), flow_run.get()
    if task is not None and task.task.log_prints is not None:
        return task.task.log_prints
    return flow is not None and flow.log_prints
