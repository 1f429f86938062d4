"""Which process is which: a pid names a process only together with its start time and boot."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# proc_pid_stat(5): the fields after the command's closing parenthesis begin with the third.
_STATE, _SESSION, _STARTTIME = 3 - 3, 6 - 3, 22 - 3


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
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
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


def is_stopped(pid: int) -> bool:
    """Has somebody stopped this process (SIGSTOP, or a debugger), so that it does nothing? False where there is none."""
    try:
        return _stat(pid)[_STATE] in (b"T", b"t")
    except (FileNotFoundError, ProcessLookupError):
        return False


def become_subreaper() -> None:
    """Have orphaned descendants come to this process instead of to init (prctl(2))."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> bool:
    """Have the kernel kill this process when its parent dies (prctl(2)); False when `parent` is its parent no more."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def live_without_parent() -> None:
    """Take `die_with_parent` back."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, value, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def flush_c_streams() -> None:
    """Write out what C code of this process has printed so far (fflush(3) of all streams)."""
    _LIBC.fflush(None)


def children() -> list[int]:
    """The pids of this process's own children, adopted orphans among them; for single-threaded programs."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
        return []


def every_process() -> list[int]:
    """The pids of all processes that can be seen, but for this one."""
    own = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != own]


def is_taken_by_another(process: ProcessId) -> bool:
    """Has the pid of this process, and so the number of its group, gone to another one?"""
    try:
        return process.boot_id != boot_id() or identify(process.pid) != process
    except ProcessLookupError:
        return False


def reap_strangers(known: Container[int]) -> int:
    """Wait for orphans that came here and have ended; how many they were. `known` are left to those who know them.

    What this process started itself is in its session, and not taken from whoever waits for it. For a program with
    threads: its children are those of all of them (proc_pid_task_children(5)).
    """
    count, own = 0, os.getsid(0)
    for pid in _children_of_threads():
        with contextlib.suppress(ChildProcessError, FileNotFoundError, ProcessLookupError):
            if pid not in known and int(_stat(pid)[_SESSION]) != own:
                count += os.waitpid(pid, os.WNOHANG)[0] == pid
    return count


def _children_of_threads() -> list[int]:
    found: list[int] = []
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/children", "rb") as file:
            found += map(int, file.read().split())
    return found


def thread_count() -> int:
    """How many threads this process has, those of C libraries included."""
    return len(os.listdir("/proc/self/task"))
