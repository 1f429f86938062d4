"""The notes in the folder of an attempt: which process it is, how it ended, why it is being ended.

Each is seen whole or not at all, and those that must not fail have their room reserved before anything starts. Each says of
which attempt it is: a folder is used again, and after a loss of power the note of an earlier attempt may stand under its name.
"""

import contextlib
import errno
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from resource import struct_rusage
from typing import Any, Final

from schedulerd.engine.processes import ProcessId

_EXIT: Final = "exit.json"
_NOTE_BYTES: Final = 512  # more than either of the two has
_RESERVE: Final = "reserve"
_RESERVE_BYTES: Final = 4_096
_PID: Final = "pid"
_AGAIN: Final = "pid.again"
_OF: Final = "of"


class Stage(StrEnum):
    """How far an attempt came: the name of its request file."""

    ARMED = "armed"
    STARTED = "started"
    VOID = "void"


class Word(StrEnum):
    """Why an attempt is being ended: the second name of its request file, there before the first signal is."""

    CANCEL = "cancel"
    TIMEOUT = "timeout"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """How a process ended, as its parent saw it.

    Exactly one of `status` and `signal` is set, or neither when nobody could wait for it. `stopped` tells why the
    spawner ended it (`cancel`, `timeout`), `left` how many processes it left behind that had to be ended; `seen_off`
    false: nobody has looked for them yet.
    """

    ended_us: int
    status: int | None = None
    signal: int | None = None
    cpu_ms: int | None = None
    max_rss_bytes: int | None = None
    stopped: str | None = None
    left: int = 0
    seen_off: bool = True

    @property
    def is_unknown(self) -> bool:
        """Could nobody wait for it? Then `ended_us` is only when that was found."""
        return self.status is None and self.signal is None

    @classmethod
    def of(cls, status: int, usage: struct_rusage, *, ended_us: int, stopped: str | None = None) -> "Exit":
        """The end that wait4(2) told: a status as it is encoded there, and what the process used."""
        code = os.waitstatus_to_exitcode(status)
        return cls(
            ended_us=ended_us,
            status=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            cpu_ms=round((usage.ru_utime + usage.ru_stime) * 1_000),
            max_rss_bytes=usage.ru_maxrss * 1024,
            stopped=stopped,
        )


def began_after(folder: int) -> float | None:
    """How many seconds after `reserve_notes` an attempt began, its folder open; None when it has not. By the kernel's clock."""
    try:
        began = os.stat(Stage.STARTED, dir_fd=folder).st_ctime_ns
        return (began - os.stat(_draft(_EXIT), dir_fd=folder).st_mtime_ns) / 1_000_000_000
    except OSError:
        return None


def began_at_us(folder: Path | str) -> int | None:
    """When an attempt began, in microseconds since 1970: its process noted itself just before. None when it has not."""
    try:
        os.stat(f"{folder}/{Stage.STARTED}")
        return os.stat(f"{folder}/{_PID}").st_mtime_ns // 1_000
    except OSError:
        return None


def leave_word(folder: int, word: Word) -> None:
    """Say in an open folder that the attempt is being ended, and why, for whoever goes on with it should we be killed.

    To be done before it is told. Never raises: the folder may have been taken away.
    """
    with contextlib.suppress(OSError):
        os.link(Stage.STARTED, word, src_dir_fd=folder, dst_dir_fd=folder)


def read_word(folder: Path | str) -> Word | None:
    """Why an attempt is being ended, or was; None when nobody wanted that."""
    return next((word for word in Word if os.path.exists(f"{folder}/{word}")), None)


def write_private(path: Path | str, content: bytes, *, folder: int | None = None) -> None:
    """Write a small file whole, readable by this user only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600, dir_fd=folder)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)


def write_atomically(name: str, content: bytes, *, folder: int) -> None:
    """Write a file into an open folder so that it is seen whole or not at all."""
    write_private(_draft(name), content, folder=folder)
    os.rename(_draft(name), name, src_dir_fd=folder, dst_dir_fd=folder)


def _draft(name: str) -> str:
    return f".{name}"


NOTES: Final = frozenset({_PID, _draft(_PID), _draft(_AGAIN), _EXIT, _draft(_EXIT), _RESERVE})
"""The names of all files of this module, but for the words, which are links."""


def write_process(folder: int, process: ProcessId, *parents: ProcessId) -> None:
    """Note in an open folder which process runs it, and which others will tell how it ended."""
    first, *others = (_fields(one) for one in (process, *parents))
    _write_note(_PID, [_said_of(folder) | first, *others], folder=folder)


def _fields(value: ProcessId | Exit) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}


def _said_of(folder: int) -> dict[str, object]:
    return {_OF: os.path.basename(_path(folder))}


def _path(folder: int) -> str:
    """Where an open folder is."""
    return os.readlink(f"/proc/self/fd/{folder}")


def _is_of(note: dict[str, object], folder: Path | str) -> bool:
    """Is a note that was found in a folder of that attempt? What it says of that is taken out. Earlier versions said nothing."""
    return note.pop(_OF, None) in (None, os.path.basename(folder))


def _noted(name: str, folder: Path | str) -> Any:
    with open(f"{folder}/{name}", "rb", buffering=0) as file:
        return json.loads(file.read())


def process_in(folder: Path | str) -> tuple[ProcessId | None, tuple[ProcessId, ...]]:
    """Which process ran it and which others tell how it ended, when it came so far."""
    try:
        noted = _noted(_PID, folder)
        if not _is_of(noted[0], folder):
            return None, ()
        process, *parents = (ProcessId(**one) for one in noted)
    except (FileNotFoundError, ValueError, TypeError, AttributeError, LookupError):
        return None, ()
    return process, tuple(parents)


def leader_in(folder: int) -> int | None:
    """The pid of the process, and so of the process group, that runs an open folder; None before it came so far."""
    process, _ = process_in(_path(folder))
    return None if process is None else process.pid


def reserve_notes(folder: int, *, has_keeper: bool = False) -> None:
    """Take the room in an open folder that `write_process` and `write_exit` need, so that a full disk hinders neither.

    Of a run that has a keeper two write the first. Raises `OSError` where there is none: nothing should be started then.
    """
    for name in (_PID, _EXIT, *((_AGAIN,) if has_keeper else ())):
        _write_in_place(_draft(name), b" " * _NOTE_BYTES, folder=folder)


def blank_notes(folder: int) -> None:
    """Have an open folder say nothing of an attempt; the room for the notes of another stays reserved."""
    for name in (_PID, _EXIT):
        with contextlib.suppress(FileNotFoundError):
            os.rename(name, _draft(name), src_dir_fd=folder, dst_dir_fd=folder)


def reserved_again(folder: int) -> None:
    """Let the room for the second `write_process` be that: the first has become the note itself."""
    with contextlib.suppress(OSError):
        os.rename(_draft(_AGAIN), _draft(_PID), src_dir_fd=folder, dst_dir_fd=folder)


class Reserve:
    """Room in an open folder for the last record of a run, as far as there is any.

    Held by a descriptor, so that it can be given up by whoever the run has become by then.
    """

    def __init__(self, folder: int) -> None:
        self._descriptor: int | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        with contextlib.suppress(OSError):
            self._descriptor = os.open(_RESERVE, flags, 0o600, dir_fd=folder)
            os.write(self._descriptor, bytes(_RESERVE_BYTES))

    def give_up(self) -> None:
        """Let go of the room, so that another file may grow. Never raises."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)


def write_exit(folder: int, ended: Exit) -> None:
    """Leave in an open folder, beside the journal, how the process ended."""
    _write_note(_EXIT, _said_of(folder) | _fields(ended), folder=folder)


def _write_note(name: str, said: object, *, folder: int) -> None:
    """Write a note so that it is seen whole or not at all, in the room that was reserved for it, if any was."""
    _write_in_place(_draft(name), json.dumps(said).encode().ljust(_NOTE_BYTES), folder=folder)
    os.rename(_draft(name), name, src_dir_fd=folder, dst_dir_fd=folder)


def _write_in_place(name: str, content: bytes, *, folder: int) -> None:
    """Write the beginning of a file, which takes no room that it has already."""
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
    finally:
        os.close(descriptor)


def read_exit(folder: Path | str) -> Exit | None:
    """How the process ended, when its parent told."""
    try:
        noted = _noted(_EXIT, folder)
        return Exit(**noted) if _is_of(noted, folder) else None
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None
