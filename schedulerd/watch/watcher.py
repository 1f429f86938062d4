"""A thread that watches folders and tells what has changed. Events are hints; a look at the folders is the truth.

Events only say when to look. They are deaf to a folder that was swapped for another until we listen anew, and there may be
none to be had; so besides there is a look every ten seconds (fewer where there are so many files that it takes long), and every second
without events.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schedulerd.clock import Clock
from schedulerd.watch.changes import FolderChange, Settling
from schedulerd.watch.folders import Scan, WatchedFolder, scan
from schedulerd.watch.hints import Bell, Inotify, Listen, NoEventsError

log = logging.getLogger(__name__)

JOIN_LIMIT_S: Final = 5.0
_SUFFIXES: Final = frozenset({".py", ".toml", ".crontab", ".ics", ".txt"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """Seconds: how long a change must rest, and how often to look and to try for events again without being told to.

    Where there are so many files that a look takes long, there is one as often as it takes `share` of the time, and at least
    each `longest_rescan`: events tell of nearly everything.
    """

    settle: float = 0.5
    rescan: float = 10.0
    longest_rescan: float = 60.0
    share: float = 0.002
    rescan_without_events: float = 1.0
    retry_events: float = 60.0

    def rescan_after(self, took: float) -> float:
        """How long until the next look, with events, after one that took so many seconds."""
        return max(self.rescan, min(took / self.share, self.longest_rescan))


class Watcher:
    """Watches folders (by absolute paths) from `start` to `stop`; posts each settled change once, from its own thread.

    The first post is the whole of what is there. `start` and `stop` may be called twice and in any order.
    """

    def __init__(
        self,
        folders: Sequence[WatchedFolder],
        post: Callable[[FolderChange], None],
        clock: Clock,
        *,
        rhythm: Rhythm | None = None,
        listen: Listen = Inotify,
    ) -> None:
        self._folders = tuple(folders)
        self._post = post
        self._clock = clock
        self._rhythm = rhythm or Rhythm()
        self._listen = listen
        self._control = threading.Lock()
        self._watch: _Watch | None = None

    def start(self) -> None:
        """Begin to watch, if not yet."""
        with self._control:
            if self._watch is None:
                self._watch = _Watch(self._folders, self._post, self._clock, self._rhythm, self._listen)
                self._watch.start()

    def stop(self) -> None:
        """Watch no longer, if not so already. A thread that does not end in time is reported and left behind."""
        with self._control:
            watch, self._watch = self._watch, None
            if watch is None:
                return
            watch.stopping.set()
            watch.bell.ring()
            watch.join(JOIN_LIMIT_S)
            if watch.is_alive():
                log.error("watcher_outlived_stop", extra={"limit_s": JOIN_LIMIT_S})
            else:
                watch.bell.close()

    def tell_again(self) -> None:
        """Post the whole of what is there once more, soon; without effect when stopped."""
        with self._control:
            if self._watch is not None:
                self._watch.asked_again.set()
                self._watch.bell.ring()

    @property
    def is_watching(self) -> bool:
        """Does its thread run?"""
        watch = self._watch
        return watch is not None and watch.is_alive()


class _Watch(threading.Thread):
    """The thread of one `start`: looks, and between looks listens or waits."""

    def __init__(
        self,
        folders: Sequence[WatchedFolder],
        post: Callable[[FolderChange], None],
        clock: Clock,
        rhythm: Rhythm,
        listen: Listen,
    ) -> None:
        super().__init__(name="watcher", daemon=True)
        self.stopping = threading.Event()
        self.asked_again = threading.Event()
        self.bell = Bell()
        self._folders = folders
        self._post = post
        self._clock = clock
        self._rhythm = rhythm
        self._listen = listen
        self._scan = Scan()
        self._settling = Settling(rhythm.settle)
        self._listened: Mapping[Path, tuple[int, int]] = {}
        self._crossed: Set[Path] = frozenset()
        self._next_look = 0.0
        self._has_events = True

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._follow_events()
            except NoEventsError as error:
                if self._is_as_listened():  # else one of the folders went away just now
                    self._note_events(False, reason=str(error))
                    self._follow_time()

    def _follow_events(self) -> None:
        """Look when there is a hint or it is time, until the folders are others than those we listen to, or one is not heard any more."""
        self._look(self._rhythm.rescan_after)
        self._crossed = _crossings(self._folders)
        self._listened = _where_to_listen(self._folders, self._scan)
        self._next_look = 0.0  # what changed before we listened gave no hint
        with contextlib.closing(self._listen(sorted(self._listened))) as hints:
            self._note_events(True)
            while not self.stopping.is_set():
                changed = hints.wait(self._next_look - self._clock.monotonic(), self.bell)
                if self._is_time() or hints.is_deaf or any(self._concerns_us(path) for path in changed):
                    self._look(self._rhythm.rescan_after)
                    if hints.is_deaf or _where_to_listen(self._folders, self._scan) != self._listened:
                        return

    def _follow_time(self) -> None:
        """Look when it is time, until events are worth another try."""
        until = self._clock.monotonic() + self._rhythm.retry_events
        while not self.stopping.is_set() and (now := self._clock.monotonic()) < until:
            if self._is_time():
                self._look(lambda _: self._rhythm.rescan_without_events)
            else:
                self.bell.wait(min(self._next_look, until) - now)

    def _look(self, pause: Callable[[float], float]) -> None:
        """`pause` says how long until the next look, after one that took so long."""
        began = self._clock.monotonic()
        if self.asked_again.is_set():
            self.asked_again.clear()
            self._settling.forget()
        self._scan = scan(self._folders, self._scan, now=self._clock.now())
        now = self._clock.monotonic()
        change = self._settling.observe(self._scan, now=now)
        until_next = pause(now - began)
        self._next_look = now + min(
            until_next, self._rhythm.settle if self._settling.is_waiting else until_next
        )
        if change is not None:
            self._post(change)

    def _is_as_listened(self) -> bool:
        """Are the folders that we listened to, or tried to, still the same ones?"""
        return all(_identity(path) == identity for path, identity in self._listened.items())

    def _is_time(self) -> bool:
        return self.asked_again.is_set() or self._clock.monotonic() >= self._next_look

    def _concerns_us(self, path: Path) -> bool:
        """May what happened at `path` change what a look would see?"""
        if path in self._scan.folders or path in self._crossed:
            return True
        return path.parent in self._scan.folders and (path.suffix in _SUFFIXES or os.path.isdir(path))

    def _note_events(self, has_events: bool, *, reason: str = "") -> None:
        if self._has_events and not has_events:
            every = self._rhythm.rescan_without_events
            log.warning("watching_without_events", extra={"reason": reason, "look_every_s": every})
        elif has_events and not self._has_events:
            log.info("watching_with_events_again")
        self._has_events = has_events


def _where_to_listen(folders: Iterable[WatchedFolder], seen: Scan) -> Mapping[Path, tuple[int, int]]:
    """The folders to listen to: those that were walked, and those in which one of ours may come, go or be swapped.

    Each with what tells it from another that takes its place.
    """
    around = {crossing.parent: _identity(crossing.parent) for crossing in _crossings(folders)}
    return {path: identity for path, identity in around.items() if identity is not None} | dict(seen.folders)


def _crossings(folders: Iterable[WatchedFolder]) -> set[Path]:
    """The paths where the way to a folder may change: the folder, symlinks above it, and what is not there yet."""
    return {
        path
        for folder in folders
        for path in (folder.path, *folder.path.parents)
        if path == folder.path or os.path.islink(path) or not os.path.exists(path)
    }


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
