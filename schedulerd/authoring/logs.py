"""The logger of the present run."""

from __future__ import annotations

from schedulerd.authoring.context import flow_run, task_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Logger, LoggerAdapter


def get_run_logger() -> LoggerAdapter[Logger]:
    """A logger whose lines belong to the present task or flow run, and bear its name; outside a run a plain one."""
    from logging import LoggerAdapter  # late: it is dear to load, and many flows never log

    from schedulerd.authoring.console import run_logger

    task, flow = task_run.get(), flow_run.get()
    run = task if task is not None else flow
    # `run` is what the console puts before the message; the journal has the task's number instead.
    return LoggerAdapter(run_logger(), {"run": "" if run is None else f"{run.name}: "})


def get_logger(name: str | None = None) -> Logger:
    """The logger of runs, or one below it of that name: seen on stderr, and in the log of a run."""
    from schedulerd.authoring.console import run_logger

    return run_logger() if name is None else run_logger().getChild(name)
