"""The processes that a run left behind: its group, what is in its cgroup, and orphans in sessions of their own."""

import contextlib
import os
import signal
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schedulerd.engine.cgroups import RunCgroups
from schedulerd.engine.processes import children

VARIABLE: Final = "SCHEDULERD_RUN_FOLDER"

LAST_WORDS_SECONDS: Final = 0.5
"""What a run has, at most, between SIGTERM and SIGKILL at its time limit: a limit is kept to within a second."""

_LAST_STEPS_SECONDS: Final = 0.3  # helpers of multiprocessing end by themselves when their parent has ended
_UNKILLABLE_SECONDS: Final = (
    5.0  # another user's, or one in an uninterruptible sleep: the run does not wait for ever
)


@dataclass(kw_only=True, slots=True)
class Farewell:
    """The patience with what a run left behind: told to end at `end_at`, killed at `kill_at`, in monotonic seconds.

    `left` is how many groups and orphans had to be told.
    """

    end_at: float
    kill_at: float
    left: int = 0

    @classmethod
    def begin(cls, now: float, *, grace: float, kill_at: float | None) -> "Farewell":
        """For a run that has ended now. One that was told to end, to be killed at `kill_at`, used its patience already."""
        end_at = now + _LAST_STEPS_SECONDS
        return cls(end_at=end_at, kill_at=end_at + grace if kill_at is None else kill_at)

    def go_on(self, tell: Callable[[int], int], now: float) -> bool:
        """Tell what is left the signal whose time it is, 0 only to look; True when nothing is left, or all was tried.

        `tell` sends a signal to all that is left and returns how many that are.
        """
        sign = self._sign(now)
        left = tell(sign)
        if sign:
            self.left = max(self.left, left)
        return left == 0 or now >= self.kill_at + _UNKILLABLE_SECONDS

    def _sign(self, now: float) -> int:
        if now >= self.kill_at:
            return signal.SIGKILL
        return signal.SIGTERM if self.left == 0 and now >= self.end_at else 0


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
    """Finds and ends what ended runs left behind, among `candidates`.

    They are this process's children, for the one that orphans come to (a subreaper); or, where they may have gone to
    another, all processes that there are. Where the run had a cgroup, all that is in that.
    """

    def __init__(
        self,
        runs: Path,
        candidates: Callable[[], Iterable[int]] = children,
        cgroups: RunCgroups | None = None,
    ) -> None:
        self._runs = runs
        self._candidates = candidates
        self._cgroups = cgroups or RunCgroups(runs, None)

    def end(self, key: str, group: int | None, sign: int, *, known: Container[int] = ()) -> int:
        """Send `sign` to all that is left of a run; how many groups and orphans that were.

        `group` None: what had that number is somebody else now. `known` are processes that are runs themselves.
        """
        count = 1 if group is not None and end_group(group, sign) else 0
        told: set[int] = set()
        for pid in self._candidates():
            if pid in known or (group is not None and _is_in(pid, group)):
                continue
            if self._belongs(pid, key):
                told.add(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)

        def is_seen_to(pid: int) -> bool:
            return pid in told or pid in known or (group is not None and _is_in(pid, group))

        return count + len(told) + self._cgroups.tell(key, sign, skip=is_seen_to)

    def sweep(self, kept: Container[str]) -> None:
        """Remove the cgroups in which nothing is left, but for the `kept` runs."""
        self._cgroups.sweep(kept)

    def _belongs(self, pid: int, key: str) -> bool:
        """Was this process started by that run? Its environment tells, or the run's files that it may write to."""
        folder = str(self._runs / key)
        with contextlib.suppress(OSError):
            if f"{VARIABLE}={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                return True
        with contextlib.suppress(OSError):
            return any(
                _is_writable(pid, entry.name)
                for entry in os.scandir(f"/proc/{pid}/fd")
                if _target(entry.path).startswith(folder + "/")
            )
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _is_writable(pid: int, descriptor: str) -> bool:
    """Is this descriptor open for writing (proc_pid_fdinfo(5))? Somebody may be looking at the output of a run."""
    try:
        lines = Path(f"/proc/{pid}/fdinfo/{descriptor}").read_text().splitlines()
    except OSError:
        return False
    flags = next((int(line.split()[1], 8) for line in lines if line.startswith("flags:")), os.O_RDONLY)
    return flags & os.O_ACCMODE != os.O_RDONLY
