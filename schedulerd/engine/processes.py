"""Which process is which: a pid names a process only together with its start time and boot."""

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# proc_pid_stat(5): the fields after the command's closing parenthesis begin with the third.
_STATE, _STARTTIME = 3 - 3, 22 - 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessId:
    """One process of one boot of this machine; never confused with a later one of the same pid."""

    pid: int
    start_time: int
    boot_id: str


@cache
def boot_id() -> str:
    """The id of this boot of the machine, in the form of random(4)'s `boot_id`."""
    return _BOOT_ID.read_text().strip()


def _stat(pid: int) -> list[bytes]:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def identify(pid: int) -> ProcessId:
    """The identity of a process that exists now; raises `ProcessLookupError` when there is none."""
    try:
        start_time = int(_stat(pid)[_STARTTIME])
    except FileNotFoundError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error
    return ProcessId(pid=pid, start_time=start_time, boot_id=boot_id())


def is_alive(process: ProcessId) -> bool:
    """Does this very process still run? A zombie has ended."""
    if process.boot_id != boot_id():
        return False
    try:
        fields = _stat(process.pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(fields[_STARTTIME]) == process.start_time and fields[_STATE] not in (b"Z", b"X")


def become_subreaper() -> None:
    """Have orphaned descendants come to this process instead of to init (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def flush_c_streams() -> None:
    """Write out what C code of this process has printed so far (fflush(3) of all streams)."""
    ctypes.CDLL(None).fflush(None)


def children() -> list[int]:
    """The pids of this process's own children, adopted orphans among them; for single-threaded programs."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return []


def thread_count() -> int:
    """How many threads this process has, those of C libraries included."""
    return len(os.listdir("/proc/self/task"))
