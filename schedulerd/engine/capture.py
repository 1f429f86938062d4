"""What a run prints and logs, on its way into the journal: each line with its time and its task."""

import io
import logging
import sys
import threading
from collections.abc import Callable
from typing import Final

from schedulerd.authoring.context import flow_run, task_run
from schedulerd.authoring.recording import Recorder, RecordHandler
from schedulerd.authoring.redacting import given
from schedulerd.clock import microseconds

LONGEST: Final = 64 * 1024  # characters that wait for their newline


class LineWriter(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr`: whole lines become log lines at once."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, recorder: Recorder, stream: str, descriptor: int) -> None:
        self._recorder = recorder
        self._stream = stream
        self._descriptor = descriptor
        self._cut: set[int] = set()  # threads whose line is so long that its beginning was handed on
        self._pending: dict[int, str] = {}  # by thread: two that print at once must not mix their lines
        # What writes bytes goes to the run's output file, which is read into the same log.
        self.buffer = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115  lives as long as the run

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def fileno(self) -> int:
        """The descriptor of the output file, for what writes there directly."""
        return self._descriptor

    def write(self, text: str, /) -> int:
        """Take text; each line that it completes becomes a log line."""
        thread = threading.get_ident()
        *whole, rest = (self._pending.pop(thread, "") + text).split("\n")
        if whole and not whole[0] and thread in self._cut:
            del whole[0]  # the end of a line of which all has been handed on
        if whole:
            self._cut.discard(thread)
        for line in whole:
            self._emit(line.removesuffix("\r"))
        if len(rest) >= LONGEST:
            self._cut.add(thread)
            whole_part, rest = self._divided(rest)
            self._emit(whole_part)
        if rest:
            self._pending[thread] = rest
        return len(text)

    def reconfigure(self, **options: object) -> None:
        """What scripts do to a real `sys.stdout`; here lines are whole and UTF-8 whatever they ask for."""

    def finish(self) -> None:
        """Hand on last lines that have no newline."""
        for thread in list(self._pending):
            self._emit(self._pending.pop(thread))

    def _divided(self, text: str) -> tuple[str, str]:
        """A text without an end yet: what can be handed on, and what may be the beginning of a secret."""
        text = given.redact(text)
        cut = len(text) - max(0, given.longest - 1)
        return text[:cut], text[cut:]

    def _emit(self, line: str) -> None:
        task, flow = task_run.get(), flow_run.get()
        self._recorder.log(
            logging.INFO,
            "",
            line,
            microseconds(),
            task=None if task is None else task.number,
            within=None if flow is None else flow.within,
            stream=self._stream,
        )


_lines: Final = RecordHandler()


def expect_capture() -> None:
    """Have the level of logging that `capture` wants before processes are forked that need it: to set it visits each logger."""
    logging.root.setLevel(logging.INFO)


def capture(recorder: Recorder) -> Callable[[], None]:
    """Send `print` and logging of this process to a recorder; the function returned hands on unfinished lines."""
    writers = [LineWriter(recorder, "stdout", 1), LineWriter(recorder, "stderr", 2)]
    sys.stdout, sys.stderr = writers
    _lines.recorder = recorder
    logging.root.handlers[:] = [_lines]
    if logging.root.level != logging.INFO:
        expect_capture()

    def finish() -> None:
        for writer in writers:
            writer.finish()

    return finish
