"""Looks for files that schedules wait for, and tells of each when it has been the same for half a second.

Nothing is remembered beyond this process: what was told before is told again, and the database knows what was decided.

A file whose name is no UTF-8 text is refused: a run could not be told of it by a parameter, which is kept in the database and shown to
people. That is logged once, as long as the file lies there.
"""

import logging
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.causes import SettledFile, is_meant
from schedulerd.domain.schedules import FileAppears
from schedulerd.file_names import as_text, is_text

log = logging.getLogger(__name__)

SETTLE_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 0.25
_DEAR: Final = 10.0  # a look that takes long is followed by a pause of so many times that
_LONGEST_STOP: Final = 5.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True, slots=True)
class _Sight:
    """A file as it was seen, since when it has been so, and whether it was told of."""

    file: SettledFile
    since: float
    is_told: bool = False


class AwaitedFiles:
    """Looks at the folders of the patterns again and again, in a thread of its own. `found` is called from it."""

    def __init__(self, found: Callable[[Sequence[SettledFile]], None], clock: Clock) -> None:
        self._found = found
        self._clock = clock
        self._patterns: tuple[FileAppears, ...] = ()
        self._sights: dict[str, _Sight] = {}
        self._missing: set[str] = set()
        self._refused: frozenset[str] = frozenset()
        self._stopping = Event()
        self._changed = Event()
        self._thread: Thread | None = None

    def watch(self, patterns: Iterable[FileAppears]) -> None:
        """Look for these from now on; called from any thread."""
        wanted = tuple(dict.fromkeys(patterns))
        if wanted != self._patterns:
            self._patterns = wanted
            self._changed.set()

    def start(self) -> None:
        """Begin to look; may be called twice."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = Thread(target=self._run, name="awaited-files", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more; may be called twice."""
        self._stopping.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_STOP)

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = None
            if self._patterns:
                began = self._clock.monotonic()
                try:
                    self.look()
                except Exception:  # border: one bad folder must not end the thread
                    log.exception("look_failed")
                pause = max(_LOOK_SECONDS, _DEAR * (self._clock.monotonic() - began))
            self._changed.wait(pause)
            if self._changed.is_set():
                self._changed.clear()
                self._sights.clear()  # what was told may be meant for a schedule that is new

    def look(self) -> None:
        """Look once, and tell of what has been the same long enough."""
        now = self._clock.monotonic()
        there = {file.path: file for file in self._files()}
        self._refuse(frozenset(path for path in there if not is_text(path)))
        seen = {path: file for path, file in there.items() if path not in self._refused}
        for path in set(self._sights) - set(seen):
            del self._sights[path]
        settled = []
        for path, file in seen.items():
            sight = self._sights.get(path)
            if sight is None or sight.file.mark != file.mark:
                self._sights[path] = _Sight(file=file, since=now)
            elif not sight.is_told and now - sight.since >= SETTLE_SECONDS:
                sight.is_told = True
                settled.append(file)
        if settled:
            self._found(settled)

    def _refuse(self, paths: frozenset[str]) -> None:
        for path in sorted(paths - self._refused):
            log.warning(
                "awaited_file_refused",
                extra={
                    "file": as_text(path),
                    "reason": "its name is not UTF-8 text; rename it, and it is taken",
                },
            )
        self._refused = paths

    def _files(self) -> Iterator[SettledFile]:
        by_folder: dict[str, list[FileAppears]] = {}
        for pattern in self._patterns:
            by_folder.setdefault(os.path.dirname(pattern.pattern), []).append(pattern)
        for folder, patterns in by_folder.items():
            yield from self._files_in(folder, patterns)

    def _files_in(self, folder: str, patterns: Sequence[FileAppears]) -> Iterator[SettledFile]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            if folder not in self._missing:
                log.warning("folder_not_seen", extra={"folder": folder, "reason": error.strerror})
            self._missing.add(folder)
            return
        self._missing.discard(folder)
        for entry in entries:
            if any(is_meant(pattern, entry.path) for pattern in patterns):
                file = _file(Path(entry.path))
                if file is not None:
                    yield file


def _file(path: Path) -> SettledFile | None:
    """The file as it is now; None for what is none, or has gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return SettledFile(
        path=str(path),
        inode=found.st_ino,
        size=found.st_size,
        modified_ns=found.st_mtime_ns,
        changed_at=_EPOCH + timedelta(microseconds=found.st_ctime_ns // 1_000),
    )
