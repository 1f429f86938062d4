"""Telling people and programs of things beside the log. In plain Python it is told on the console, and not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.asking import is_by_daemon, present_channel
from schedulerd.authoring.context import flow_run, task_run

if TYPE_CHECKING:
    from typing import Any


def tell(kind: str, summary: str, **said: Any) -> None:
    """Record something of the present run; `summary` is what the console says of it."""
    run, task = flow_run.get(), task_run.get()
    if task is not None:
        said["n"] = task.number
    if run is not None:
        run.recorder.tell(kind, summary, run.now(), said)
    elif is_by_daemon():
        present_channel().tell(kind, **said)
    else:
        from schedulerd.authoring.console import run_logger

        run_logger().info("%s", summary)
