"""What the tests of this folder share: folders with files, and looks at them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from schedulerd.clock import SystemClock
from schedulerd.watch.changes import FolderChange
from schedulerd.watch.folders import Role, Scan, WatchedFolder, scan
from schedulerd.watch.hints import Inotify, Listen
from schedulerd.watch.watcher import Rhythm, Watcher
from tests.waiting import eventually

LONG_AFTER = timedelta(hours=1)
QUICK = Rhythm(settle=0.1, rescan=60.0, rescan_without_events=0.05, retry_events=0.3)


def flows(path: Path) -> WatchedFolder:
    return WatchedFolder(path=path, role=Role.FLOW)


def schedules(path: Path) -> WatchedFolder:
    return WatchedFolder(path=path, role=Role.SCHEDULES)


def look(*folders: WatchedFolder, previous: Scan | None = None, uid: int | None = None) -> Scan:
    """A look so late that no file counts as freshly written."""
    return scan(folders, previous or Scan(), now=datetime.now(UTC) + LONG_AFTER, uid=uid)  # noqa: TID251 real files


def write_and_rename(path: Path, text: str) -> None:
    """As an editor saves: a new file beside it, renamed over it."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    os.replace(beside, path)


class Posted:
    """A watcher that runs, and all that it has posted."""

    def __init__(self, *folders: WatchedFolder, rhythm: Rhythm = QUICK, listen: Listen = Inotify) -> None:
        self.changes: list[FolderChange] = []
        self.watcher = Watcher(folders, self.changes.append, SystemClock(), rhythm=rhythm, listen=listen)

    def __enter__(self) -> Self:
        known = len(self.changes)
        self.watcher.start()
        eventually(lambda: len(self.changes) > known)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.watcher.stop()

    def after(self, act: Callable[[], object], *, within: float = 5.0) -> FolderChange:
        """The next change that is posted after `act`."""
        known = len(self.changes)
        act()
        eventually(lambda: len(self.changes) > known, within=within)
        return self.changes[known]


def names(change: FolderChange) -> tuple[list[str], list[str]]:
    """The names of the files that changed and of those that are gone."""
    return [file.path.name for file in change.changed], [file.path.name for file in change.removed]
