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
    from schedulerd.domain.failures import Failure

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

    def task(
        self,
        number: int,
        name: str,
        state: str,
        at: int,
        *,
        attempt: int = 1,
        map_index: int | None = None,
        upstream: tuple[int, ...] = (),
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        call: str | None = None,
        kept: Kept | None = None,
    ) -> None:
        """Write a line, but none for a start."""
        if state == "running":
            self._started.setdefault(number, at)
            return
        text = f"{name}: {state}" if map_index is None else f"{name}[{map_index}]: {state}"
        if state != "retrying" and (started := self._started.pop(number, None)) is not None:
            text += f" in {_duration(at - started)}"
        text += f" ({message})" if message else ""
        if failure is not None:
            text += f"\n{failure.traceback.rstrip()}"
        self._logger.log(_LEVELS.get(state, logging.INFO), "%s", text)

    def log(
        self,
        level: int,
        logger: str,
        message: str,
        at: int,
        *,
        task: int | None = None,
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
