"""Processes that come from others: how to end all of them, and how to end with one's parent. Of Linux (proc(5), prctl(2))."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def kill_tree(pid: int) -> None:
    """Kill a process and all that come from it. Those that were handed to another parent are not found."""
    several = [pid, *descendants(pid)]
    for one in several:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """The processes that come from this one, children before their own."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found + [other for child in found for other in descendants(child)]


def die_with_parent(parent: int) -> bool:
    """Have the kernel kill this process when its parent dies; False when `parent` is its parent no more."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent
