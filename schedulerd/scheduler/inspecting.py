"""Has flow files inspected by the spawner, a few at a time, and tells what they define."""

import contextlib
import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.engine.folders import ANSWER, STDERR, RunFolders
from schedulerd.engine.inspection import Answer, describe_kill, read_answer, understand
from schedulerd.engine.leftovers import end_group
from schedulerd.engine.notes import Exit, read_exit
from schedulerd.engine.processes import is_alive

log = logging.getLogger(__name__)

PREFIX: Final = "inspection"
_AT_ONCE: Final = 2
_SLOW_SECONDS: Final = 2.0  # one that takes longer hangs, perhaps, and holds up no others
_MOST_AT_ONCE: Final = 8
_TAIL_BYTES: Final = 4096
_TOLD_AGAIN_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """What an inspection found; `definition` is a failure when the file cannot be taken as it is."""

    file: str
    definition: FileDefinition | Failure


class Inspector:
    """A queue of files to look at. A file that changes while it is looked at is looked at again."""

    def __init__(
        self,
        folders: RunFolders,
        ask: Callable[[str], bool],
        clock: Clock,
        *,
        request: dict[str, Any],
        timezone: str,
        pools: Collection[str] | None = None,
    ) -> None:
        self._folders = folders
        self._ask = ask
        self._clock = clock
        self._request = request
        self._timezone = timezone
        self._pools = pools
        self._waiting: deque[str] = deque()
        self._going: dict[str, str] = {}
        self._started: dict[str, float] = {}
        self._count = 0
        self._trouble = ""
        self._told_at = float("-inf")

    @property
    def is_idle(self) -> bool:
        """Is there no file to be looked at?"""
        return not self._waiting and not self._going

    def want(self, file: str) -> None:
        """Look at this file, soon."""
        if file not in self._waiting:
            self._waiting.append(file)

    def pump(self) -> None:
        """Start what may be started."""
        now = self._clock.monotonic()
        quick = sum(now - self._started[key] < _SLOW_SECONDS for key in self._going)
        room = min(_AT_ONCE - quick, _MOST_AT_ONCE - len(self._going))
        going = set(self._going.values())
        for file in [file for file in self._waiting if file not in going][: max(0, room)]:
            if not self._start(file):
                return

    def _start(self, file: str) -> bool:
        self._count += 1
        key = f"{PREFIX}-{os.getpid()}-{self._count}"
        request = {**self._request, "key": key, "kind": "inspection", "file": file}
        try:
            self._folders.prepare(key, request)
        except OSError as error:  # no room on the disk, say; it is tried again
            self._not_prepared(file, error.strerror or str(error))
            return False
        self._trouble = ""
        if not self._ask(key):
            self._folders.remove(key)
            return False
        self._waiting.remove(file)
        self._going[key] = file
        self._started[key] = self._clock.monotonic()
        return True

    def _not_prepared(self, file: str, reason: str) -> None:
        """Say so in the log: each turn tries again, and it is said when it begins, or is something else, and now and then."""
        now = self._clock.monotonic()
        if reason == self._trouble and now - self._told_at < _TOLD_AGAIN_SECONDS:
            return
        self._trouble, self._told_at = reason, now
        waiting = len(self._waiting)
        log.warning("inspection_not_prepared", extra={"file": file, "reason": reason, "waiting": waiting})

    def not_taken(self, key: str) -> None:
        """The spawner could not take it: it is wanted again. Nothing happens for what is no inspection."""
        file = self._forget(key)
        if file is not None:
            self._folders.remove(key)
            self.want(file)

    def start_over(self) -> None:
        """The spawner has gone: what was going on is ended, and wanted again."""
        if self._going:  # one of them may have done it
            log.warning("spawner_died_over_inspections", extra={"files": sorted(self._going.values())})
        for key in list(self._going):
            process = self._folders.facts(key).process
            if process is not None and is_alive(process):
                end_group(process.pid, signal.SIGKILL)
            self.not_taken(key)

    def ended(self, key: str) -> Inspected | None:
        """What the inspection of this key found; None when it is no inspection that is going on."""
        file = self._forget(key)
        if file is None:
            return None
        folder = self._folders.runs / key
        answer, ended = read_answer(folder / ANSWER), read_exit(folder)
        found = Inspected(file=file, definition=self._understand(file, answer, ended, _tail(folder / STDERR)))
        self._folders.remove(key)
        return found

    def _forget(self, key: str) -> str | None:
        self._started.pop(key, None)
        return self._going.pop(key, None)

    def _understand(
        self, file: str, answer: Answer | None, ended: Exit | None, last_words: str
    ) -> FileDefinition | Failure:
        if answer is None:
            return Failure(
                type="LoadError", message=_why(ended, self._request), file=file, traceback=last_words
            )
        return understand(file, answer, timezone=self._timezone, pools=self._pools)


def _why(ended: Exit | None, request: dict[str, Any]) -> str:
    if ended is None:
        return "loading the file ended its process"
    if ended.stopped == "timeout":
        return f"loading the file took longer than {request['timeout_seconds']:g} s and was ended"
    if ended.signal is not None:
        return describe_kill(ended.signal)
    if ended.stopped is not None:
        return f"the file could not be looked at ({ended.stopped})"
    return f"loading the file ended its process with status {ended.status}"


def _tail(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
    return ""
