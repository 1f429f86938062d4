"""The daemon's own log: a line an event, a constant name and its data as key=value."""

import faulthandler
import logging
import os
import sys
from collections.abc import Mapping
from typing import Final

_STDERR: Final = 2
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# sd-daemon(3): the level in front of a line, for journald.
_PRIORITIES: Final = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


class EventFormatter(logging.Formatter):
    """`12:00:00 INFO run_adopted run=etl#7 pid=4711`; for journald the level as its priority and no time."""

    def __init__(self, *, for_journald: bool) -> None:
        super().__init__()
        self._for_journald = for_journald

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback of an exception below it."""
        data = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        words = [record.getMessage(), *(f"{key}={_worded(value)}" for key, value in data.items())]
        line = " ".join(words)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        if self._for_journald:
            priority = next(mark for least, mark in _PRIORITIES if record.levelno >= least)
            return "\n".join(priority + part for part in line.splitlines())
        return f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:<7} {line}"


def _worded(value: object) -> str:
    text = str(value)
    return text if text and " " not in text and "\n" not in text else repr(text)


def goes_to_journald(environ: Mapping[str, str]) -> bool:
    """Is stderr the journal's? JOURNAL_STREAM names its device and inode; children inherit it wherever they write to."""
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def set_up_logs(*, for_journald: bool, verbose: bool = False) -> None:
    """Send the log of this process to stderr, and its last words: where each thread was when a signal ended it."""
    faulthandler.enable(_STDERR)  # for the SIGABRT of systemd's watchdog above all
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(for_journald=for_journald))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("apscheduler", "alembic", "asyncio", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
