"""Runs in plain Python: what happens is told on stderr, line by line, through logging. stdout is the flow's."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import FlowContext
from schedulerd.clock import microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.keeping import Keeper, Kept
    from schedulerd.authoring.records import FlowRecord, TaskRecord

LOGGER: Final = "schedulerd.run"
_LEVELS: Final = {
    "retrying": logging.WARNING,
    "failed": logging.ERROR,
    "timed_out": logging.ERROR,
    "crashed": logging.ERROR,
    "upstream_failed": logging.ERROR,
    "cancelled": logging.WARNING,
}


def console_context(name: str) -> FlowContext:
    """The context of a run in plain Python."""
    return FlowContext(name, ConsoleRecorder(), now=microseconds)


def run_logger() -> logging.Logger:
    """The logger of runs, seen on stderr unless the program or the daemon has set up logging itself."""
    logger = logging.getLogger(LOGGER)
    if not logger.handlers:
        logger.addHandler(ConsoleHandler())
    logger.disabled = False  # logging.config disables what it finds, unless told not to
    if logger.level == logging.NOTSET:
        logger.setLevel(
            min(logging.INFO, logging.root.level)
        )  # the root's default of WARNING would hide most
    return logger


class ConsoleHandler(logging.Handler):
    """Writes `12:00:01 INFO  extract: completed in 3 ms` to the present stderr."""

    def __init__(self) -> None:
        super().__init__()
        form = "%(asctime)s %(levelname)-5s %(run)s%(message)s"
        self.setFormatter(logging.Formatter(form, datefmt="%H:%M:%S", defaults={"run": ""}))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, unless handlers of the root logger see it already."""
        if logging.root.handlers:
            return
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # border: a bad log call must not end the run; handleError prints its traceback
            self.handleError(record)


class ConsoleRecorder:
    """Tells of each task's end."""

    previews = False
    keeper: Keeper | None = None

    def __init__(self, logger: logging.Logger | None = None) -> None:
        """`logger` is by default that of runs."""
        self._logger = logger or run_logger()
        self._started: dict[int, int] = {}

    def task(self, record: TaskRecord) -> None:
        """Write a line, but none for a start."""
        state = record.state
        if state == "running":
            self._started.setdefault(record.number, record.at)
            return
        text = record.name if record.map_index is None else f"{record.name}[{record.map_index}]"
        text += f": {state}"
        if state != "retrying" and (started := self._started.pop(record.number, None)) is not None:
            text += f" in {_duration(record.at - started)}"
        text += f" ({record.message})" if record.message else ""
        if record.failure is not None:
            text += f"\n{record.failure.traceback.rstrip()}"
        self._logger.log(_LEVELS.get(state, logging.INFO), "%s", text)

    def flow(self, record: FlowRecord) -> None:
        """Write a line as of a task."""
        self.task(record.task)

    def log(
        self,
        level: int,
        logger: str,
        message: str,
        at: int,
        *,
        task: int | None = None,
        within: int | None = None,
        stream: str = "logging",
    ) -> None:
        """Write the line."""
        self._logger.log(level, "%s", message)

    def tell(self, kind: str, summary: str, at: int, said: Mapping[str, Any]) -> None:
        """Write what it is in short."""
        self._logger.info("%s", summary)

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        """Say nothing: in plain Python the caller has the value."""


def _duration(microseconds: int) -> str:
    if microseconds < 1_000_000:
        return f"{microseconds / 1_000:.0f} ms"
    return f"{microseconds / 1_000_000:.1f} s"
