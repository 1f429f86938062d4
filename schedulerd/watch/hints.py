"""The kernel's events: where something may have changed in folders. The one door to inotify(7)."""

import ctypes
import errno
import os
import select
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

# Events are gathered for so long after the first: whoever saves many files is looked at once, and not once for each.
_GATHER_SECONDS: Final = 0.05

_OF_INTEREST: Final = (
    0x00000002  # IN_MODIFY
    | 0x00000004  # IN_ATTRIB: who may write it
    | 0x00000008  # IN_CLOSE_WRITE
    | 0x00000040  # IN_MOVED_FROM
    | 0x00000080  # IN_MOVED_TO
    | 0x00000100  # IN_CREATE
    | 0x00000200  # IN_DELETE
    | 0x00000400  # IN_DELETE_SELF
    | 0x00000800  # IN_MOVE_SELF
    | 0x01000000  # IN_ONLYDIR
)
_HEAD: Final = struct.Struct("iIII")  # watch descriptor, mask, cookie, length of the name
_OVERFLOWN: Final = -1
_IGNORED: Final = 0x00008000  # IN_IGNORED: the folder is gone, and the watch with it
_AT_ONCE: Final = 1 << 16
_libc: Final = ctypes.CDLL(None, use_errno=True)


class NoEventsError(Exception):
    """The system gives no events: its inotify instances or watches are used up, or a folder is gone again."""


class Bell:
    """Wakes one who waits; may be rung from any thread, also before the wait. Raises `OSError` where there is none to be had."""

    def __init__(self) -> None:
        self._descriptor: Final = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """For a poll."""
        return self._descriptor

    def ring(self) -> None:
        """Wake whoever waits, or is going to."""
        os.eventfd_write(self._descriptor, 1)

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; False when it did not ring."""
        if not _readable(seconds, self._descriptor):
            return False
        os.eventfd_read(self._descriptor)
        return True

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


class Hints(Protocol):
    """What is listened to."""

    @property
    def is_deaf(self) -> bool:
        """Was a folder removed, or may one have been? It is not heard any more, also where another has its place, and its inode."""
        ...

    def wait(self, seconds: float, bell: Bell) -> frozenset[Path]:
        """What may have changed: as soon as something may have, or nothing when so long has passed or the bell has rung."""
        ...

    def close(self) -> None:
        """Listen no longer."""
        ...


Listen = Callable[[Sequence[Path]], Hints]
"""Begins to listen to what happens directly in folders. Raises `NoEventsError` where that cannot be."""


class Inotify:
    """What inotify says of these folders, and not of those below them: the one that holds `flows` may hold a virtual
    environment too. One that may not be read is left out.

    Raises `NoEventsError`.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._descriptor: Final[int] = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._descriptor < 0:
            raise NoEventsError(os.strerror(ctypes.get_errno()))
        self._folders: Final[dict[int, list[Path]]] = {}  # several where they are one by another name
        self._is_deaf = False
        for folder in folders:
            self._add(folder)

    def _add(self, folder: Path) -> None:
        watch = _libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _OF_INTEREST)
        if watch >= 0:
            self._folders.setdefault(watch, []).append(folder)
        elif (reason := ctypes.get_errno()) != errno.EACCES:
            self.close()
            raise NoEventsError(f"{folder}: {os.strerror(reason)}")

    @property
    def is_deaf(self) -> bool:
        """Was a folder removed, or may one have been? It is not heard any more, also where another has its place, and its inode."""
        return self._is_deaf

    def wait(self, seconds: float, bell: Bell) -> frozenset[Path]:
        """What may have changed: as soon as something may have, or nothing when so long has passed or the bell has rung."""
        if self._descriptor not in _readable(seconds, self._descriptor, bell.fileno()):
            bell.wait(0)
            return frozenset()
        bell.wait(_GATHER_SECONDS)
        return frozenset(self._read())

    def _read(self) -> Iterator[Path]:
        while True:
            try:
                events = os.read(self._descriptor, _AT_ONCE)
            except BlockingIOError:
                return
            at = 0
            while at < len(events):
                watch, mask, _, length = _HEAD.unpack_from(events, at)
                at += _HEAD.size + length
                self._is_deaf = self._is_deaf or watch == _OVERFLOWN or bool(mask & _IGNORED)
                yield from self._named(watch, events[at - length : at].rstrip(b"\0"))

    def _named(self, watch: int, name: bytes) -> Iterator[Path]:
        if watch == _OVERFLOWN:  # there were more than it keeps
            for folders in self._folders.values():
                yield from folders
        for folder in self._folders.get(watch, ()):
            yield folder / os.fsdecode(name) if name else folder

    def close(self) -> None:
        """Listen no longer."""
        os.close(self._descriptor)


def _readable(seconds: float, *descriptors: int) -> set[int]:
    """Which of them have something to be read: as soon as one has, or none after so long."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1_000)}
