"""Records a run in the process of a test: in a journal, as under the daemon, and on the console, as in plain Python."""

import logging
import os
from pathlib import Path
from typing import Final

from schedulerd.authoring.console import ConsoleRecorder, run_logger
from schedulerd.authoring.context import flow_run, task_run
from schedulerd.authoring.keeping import Keeper
from schedulerd.authoring.records import FlowRecord, TaskRecord
from schedulerd.clock import microseconds
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId
from schedulerd.engine.folders import JOURNAL
from schedulerd.engine.journal import Journal
from schedulerd.engine.recorder import JournalRecorder

_CONSOLE: Final = "console"


class RunLines(logging.Handler):
    """Puts what is logged with the loggers of runs into the journal of the run that logs it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Record the line, where a run that a test watches logs it; those of the console are of no run."""
        run = flow_run.get()
        if run is None or not isinstance(run.recorder, TestRecorder) or record.name.endswith(f".{_CONSOLE}"):
            return
        task = task_run.get()
        number = None if task is None else task.number
        run.recorder.note(record, self.format(record), task=number, within=run.within)


class TestRecorder(JournalRecorder):
    """The journal of `run` in `folder`, from its first record on."""

    __test__ = False  # pytest collects what is called Test...

    def __init__(self, run: RunId, folder: Path, keeper: Keeper) -> None:
        self.run = run
        self.folder = folder
        self.began_at = microseconds()
        folder.mkdir(mode=0o700)
        self._file = os.open(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        journal = Journal(self._file, wrote=lambda: None)
        super().__init__(journal, keeper)
        self._console = ConsoleRecorder(run_logger().getChild(_CONSOLE))
        journal.append({"k": "start", "t": self.began_at, "pid": os.getpid()})

    def task(self, record: TaskRecord) -> None:
        """In both."""
        self._console.task(record)
        super().task(record)

    def flow(self, record: FlowRecord) -> None:
        """In both."""
        self._console.flow(record)
        super().flow(record)

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
        """In both."""
        self._console.log(level, logger, message, at)
        super().log(level, logger, message, at, task=task, within=within, stream=stream)

    def note(self, record: logging.LogRecord, text: str, *, task: int | None, within: int | None) -> None:
        """A line that the console has already."""
        at = int(record.created * 1_000_000)
        super().log(record.levelno, record.name, text, at, task=task, within=within)

    def end(self, state: str, message: str, failure: Failure | None, at: int) -> None:
        """The last record; there are none after it."""
        super().end(state, message, failure, at)
        os.close(self._file)
