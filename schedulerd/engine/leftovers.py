"""The processes that a run left behind: its group, and orphans that went into sessions of their own."""

import contextlib
import os
from collections.abc import Container
from pathlib import Path

from schedulerd.engine.processes import children

VARIABLE = "SCHEDULERD_RUN_FOLDER"


def end_group(group: int, sign: int) -> bool:
    """Signal a process group (a signal of 0 only looks); False when it has no process left."""
    try:
        os.killpg(group, sign)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, but changed its user
        return True
    return True


def _is_in(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return True  # it has gone: nothing to be done about it either


class Leftovers:
    """Finds and ends what ended runs left behind, for the process that orphans come to (a subreaper)."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs

    def end(self, key: str, group: int, sign: int, *, known: Container[int]) -> int:
        """Send `sign` to all that is left of a run; how many groups and orphans that were.

        `known` are this process's children that are runs themselves.
        """
        count = 1 if end_group(group, sign) else 0
        for pid in children():
            if pid not in known and not _is_in(pid, group) and self._belongs(pid, key):
                count += 1
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
        return count

    def _belongs(self, pid: int, key: str) -> bool:
        """Was this orphan started by that run? Its environment tells, or the run's files that it holds open."""
        folder = str(self._runs / key)
        with contextlib.suppress(OSError):
            if f"{VARIABLE}={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return True
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(entry.path).startswith(folder + "/"):
                        return True
        return False
