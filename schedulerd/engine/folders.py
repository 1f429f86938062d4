"""The run on disk: the folder of one attempt, and the renames that let it start once.

    ready/<key>/armed        prepared by the core, not taken yet
    runs/<key>/armed         taken by a spawner: this rename is the latch, it succeeds once
    runs/<key>/started       its process runs, or ran, user code
    runs/<key>/void          given up before any user code ran

    runs/<key>/timeout       it is being ended, for this reason; or `cancel`

Each of these is the same file, the request, under the name that tells how far it came: a name takes no room, so that
it can be given on a full disk too.
A folder is complete before it is seen: it is made under a name with a dot and renamed into `ready`.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from resource import struct_rusage
from types import MappingProxyType
from typing import Any, Final

from schedulerd.engine.processes import ProcessId

READY: Final = "ready"
RUNS: Final = "runs"
JOURNAL: Final = "journal.jsonl"
STDOUT: Final = "stdout.log"
STDERR: Final = "stderr.log"
STDIN: Final = "stdin"
ANSWER: Final = "answer.json"
KNOWN: Final = "known.json"
RESULTS: Final = "results"
_EXIT: Final = "exit.json"
_NOTE_BYTES: Final = 512  # more than either of the two has
_RESERVE: Final = "reserve"
_RESERVE_BYTES: Final = 4_096
_PID: Final = "pid"
_AGAIN: Final = "pid.again"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the disk says of one attempt; `where` None: it has no folder.

    `parents`: the processes that will tell how it ended, as long as they live: its keeper, its spawner. `word`: why it
    is being ended, by whoever began with that.
    """

    where: str | None = None
    stage: Stage | None = None
    process: ProcessId | None = None
    parents: tuple[ProcessId, ...] = ()
    exit: Exit | None = None
    word: Word | None = None


class RunFolders:
    """The folders of the attempts under one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.ready = state_dir / READY
        self.runs = state_dir / RUNS

    def make(self) -> None:
        """Make the two parent folders, for this user only."""
        for folder in (self.ready, self.runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def prepare(
        self, key: str, request: Mapping[str, Any], files: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        """Put a request, and files beside it, where a spawner can take it; whole or not at all.

        Replaces one that is still there.
        """
        draft = self.ready / f".{key}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(draft, 0o700)
        try:
            for name, content in files.items():
                write_private(draft / name, content)
            write_private(draft / Stage.ARMED, json.dumps(request, separators=(",", ":")).encode())
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        try:
            os.rename(draft, self.ready / key)
        except OSError:  # an earlier, equal one stands there
            shutil.rmtree(self.ready / key, ignore_errors=True)
            os.rename(draft, self.ready / key)

    def take(self, key: str) -> int | None:
        """Move a prepared attempt to the running ones: its folder, open, for exactly one caller, else None.

        The folder is opened before it moves, and everything in it is done through that descriptor: should somebody
        give this attempt up and prepare it anew, the late hand finds the old folder, which is nobody's.
        """
        try:
            folder = os.open(self.ready / key, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            os.rename(self.ready / key, self.runs / key)
        except OSError:  # another was faster, or (by a clumsy hand) one of this name runs already
            os.close(folder)
            return None
        return folder

    def put_back(self, key: str) -> bool:
        """Undo `take` of an attempt of which nothing ran, so that it can be taken once more; False when it cannot be."""
        try:
            os.rename(self.runs / key, self.ready / key)
        except OSError:
            return False
        return True

    def give_up(self, key: str) -> bool:
        """Keep a taken attempt from starting; False when its process was first."""
        try:
            os.rename(self.runs / key / Stage.ARMED, self.runs / key / Stage.VOID)
        except FileNotFoundError:
            return False
        return True

    def facts(self, key: str) -> Facts:
        """What the disk says of this attempt; `ready` is looked at first, since a folder only moves on from it."""
        if (self.ready / key).is_dir():
            return Facts(where=READY, stage=Stage.ARMED)
        folder = self.runs / key
        if not folder.is_dir():
            return Facts()
        stage = _stage(
            folder
        )  # first: who is seen to have started is seen with the process, written before that
        process, parents = read_process(folder / _PID)
        return Facts(
            where=RUNS,
            stage=stage,
            process=process,
            parents=parents,
            exit=read_exit(folder),
            word=read_word(folder),
        )

    def names(self) -> set[str]:
        """The attempts that have a folder."""
        return {
            entry.name
            for parent in (self.ready, self.runs)
            for entry in os.scandir(parent)
            if not entry.name.startswith(".")
        }

    def remove(self, key: str) -> None:
        """Forget an attempt's folder; nothing happens when there is none.

        It is renamed first, so that a removal cut short leaves nothing that looks like an attempt.
        """
        for parent in (self.runs, self.ready):
            trash = parent / f".{key}.old"
            with contextlib.suppress(OSError):
                os.rename(parent / key, trash)
            if trash.exists():
                shutil.rmtree(trash, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what interrupted preparations and removals left; only for when nobody else prepares."""
        for parent in (self.runs, self.ready):
            for entry in os.scandir(parent):
                if entry.name.startswith("."):
                    shutil.rmtree(entry.path, ignore_errors=True)


def is_armed(folder: int) -> bool:
    """Has nothing of an attempt, its folder open, begun yet?"""
    try:
        os.stat(Stage.ARMED, dir_fd=folder)
    except OSError:
        return False
    return True


def begin(folder: int) -> bool:
    """Mark an attempt, its folder open, as started; False when it was given up. Nothing may run before this."""
    try:
        os.rename(Stage.ARMED, Stage.STARTED, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def began_after(folder: int) -> float | None:
    """How many seconds after `reserve_notes` an attempt began, its folder open; None when it has not. By the kernel's clock."""
    try:
        began = os.stat(Stage.STARTED, dir_fd=folder).st_ctime_ns
        return (began - os.stat(_draft(_EXIT), dir_fd=folder).st_mtime_ns) / 1_000_000_000
    except OSError:
        return None


def leave_word(folder: int, word: Word) -> None:
    """Say in an open folder that the attempt is being ended, and why, for whoever goes on with it should we be killed.

    To be done before it is told. Never raises: the folder may have been taken away.
    """
    with contextlib.suppress(OSError):
        os.link(Stage.STARTED, word, src_dir_fd=folder, dst_dir_fd=folder)


def read_word(folder: Path) -> Word | None:
    """Why an attempt is being ended, or was; None when nobody wanted that."""
    return next((word for word in Word if (folder / word).exists()), None)


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


def write_process(folder: int, process: ProcessId, *parents: ProcessId) -> None:
    """Note in an open folder which process runs it, and which others will tell how it ended."""
    named = json.dumps([asdict(one) for one in (process, *parents)])
    _write_note(_PID, named.encode(), folder=folder)


def read_process(file: Path) -> tuple[ProcessId | None, tuple[ProcessId, ...]]:
    """Which process ran it and which others tell how it ended, when it came so far."""
    try:
        process, *parents = (ProcessId(**one) for one in json.loads(file.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None, ()
    return process, tuple(parents)


def leader_in(folder: int) -> int | None:
    """The pid of the process, and so of the process group, that runs an open folder; None before it came so far."""
    process, _ = read_process(Path(f"/proc/self/fd/{folder}") / _PID)
    return None if process is None else process.pid


def reserve_notes(folder: int, *, has_keeper: bool = False) -> None:
    """Take the room in an open folder that `write_process` and `write_exit` need, so that a full disk hinders neither.

    Of a run that has a keeper two write the first. Raises `OSError` where there is none: nothing should be started then.
    """
    for name in (_PID, _EXIT, *((_AGAIN,) if has_keeper else ())):
        write_private(_draft(name), b" " * _NOTE_BYTES, folder=folder)


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
    _write_note(_EXIT, json.dumps(asdict(ended)).encode(), folder=folder)


def _write_note(name: str, content: bytes, *, folder: int) -> None:
    """Write a note so that it is seen whole or not at all, in the room that was reserved for it, if any was."""
    padded = content.ljust(_NOTE_BYTES)
    descriptor = os.open(_draft(name), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        if os.pwrite(descriptor, padded, 0) != len(padded):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
    finally:
        os.close(descriptor)
    os.rename(_draft(name), name, src_dir_fd=folder, dst_dir_fd=folder)


def read_exit(folder: Path) -> Exit | None:
    """How the process ended, when its parent told."""
    try:
        return Exit(**json.loads((folder / _EXIT).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def read_request(folder: int) -> dict[str, Any]:
    """The request of a taken attempt, its folder open; raises `FileNotFoundError` when it was given up."""
    descriptor = os.open(Stage.ARMED, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as file:
        request: dict[str, Any] = json.load(file)
    return request


def read_known(folder: int) -> list[dict[str, str]]:
    """What tasks came to in an earlier attempt, from an open folder; nothing for a first one."""
    try:
        descriptor = os.open(KNOWN, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return []
    with open(descriptor, "rb") as file:
        known: list[dict[str, str]] = json.load(file)
    return known


def _stage(folder: Path) -> Stage | None:
    return next((stage for stage in reversed(Stage) if (folder / stage).exists()), None)
