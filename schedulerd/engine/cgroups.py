"""The cgroups of runs: the kernel's own account of which processes a run has started, wherever they went since.

Of version 2 (cgroups(7)), below the one that was delegated to the daemon, by `Delegate=yes` of systemd say. Nothing fails
for the want of one: what cannot be had is done without, and runs are told apart by what `leftovers` can see. No controller
is enabled, so that processes may be at every level.
"""

import contextlib
import errno
import os
import signal
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Final, Self

_RUNS: Final = "runs"
LINK: Final = "cgroup"
"""What an attempt's folder has that says where its cgroup is."""

_AHEAD: Final = "spare-"
_TRIES: Final = 3  # another daemon in the same cgroup may take an empty one away
_REMOVED_AT_ONCE: Final = 100  # of some 0.05 ms each
_OWN: Final = "0::"
_MARKS: Final = ("user.delegate", "trusted.delegate")  # the second, of older systemds, is for root to see


class RunCgroups:
    """The cgroups of the runs of one state directory. Each is named after its run, and noted in the run's folder.

    `root` is where they are made; with None none are, but those that an earlier daemon made are found.
    """

    def __init__(self, runs: Path, root: Path | None) -> None:
        self._runs = runs
        self.root = root
        self._entered: Path | None = None

    @classmethod
    def below_ours(cls, runs: Path) -> Self:
        """Below the cgroup of this process, where that was delegated to it."""
        own = delegated()
        return cls(runs, None if own is None else own / _RUNS)

    def enter(self, key: str, folder: int) -> None:
        """Put this process, and so all that it will start, into the cgroup of a run whose folder is open.

        For the forked child: while other processes move between cgroups, or none did for a while, the kernel takes its
        time. One that is in a cgroup of its own already has only to say so. Never raises.
        """
        if self.root is None:
            return
        cgroup = self._entered or self.root / key
        with contextlib.suppress(OSError):  # no room, say; the next daemon finds it where this one made it
            with contextlib.suppress(FileNotFoundError):  # of a process that was killed before it began
                os.unlink(LINK, dir_fd=folder)
            os.symlink(cgroup, LINK, dir_fd=folder)
        if self._entered is None:
            _join(cgroup)

    def enter_ahead(self) -> None:
        """Put this process into a cgroup of its own before it is known which run it will become. Never raises."""
        if self.root is None:
            return
        cgroup = self.root / f"{_AHEAD}{os.getpid()}"
        if _join(cgroup):
            self._entered = cgroup

    def tell(self, key: str, sign: int, *, skip: Callable[[int], bool]) -> int:
        """Send `sign` to all that is in the cgroup of a run (0 only looks); how many processes those were.

        `skip` says of a pid that it is counted, and told, elsewhere. With SIGKILL none gets away by a fork, and none is
        skipped.
        """
        cgroup = self._of(key)
        inside = [] if cgroup is None else list(_processes(cgroup))
        if cgroup is None or not inside:
            return 0
        others = [pid for pid in inside if not skip(pid)]
        if sign != signal.SIGKILL or not _kill(cgroup):
            for pid in filter(None, others):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
        return len(others)

    def sweep(self, kept: Container[str]) -> None:
        """Remove those that have become empty, but for the `kept` runs; what runs were allowed to leave lives on.

        Not too many at a time. Not for the spawner: a removal waits while some process moves between cgroups.
        """
        with contextlib.suppress(OSError):
            for name in self._emptied(kept)[:_REMOVED_AT_ONCE]:
                _remove(Path(name))

    def _emptied(self, kept: Container[str]) -> list[str]:
        if self.root is None:
            return []
        return [
            entry.path
            for entry in os.scandir(self.root)
            if entry.is_dir() and entry.name not in kept and next(_processes(entry.path), None) is None
        ]

    def _of(self, key: str) -> Path | None:
        """Where the cgroup of a run is, or would be; the daemon that made it may have lived in another one."""
        with contextlib.suppress(OSError):
            noted = Path(os.readlink(os.path.join(self._runs, key, LINK)))
            if (
                noted.name.startswith((key, _AHEAD))
                and noted.parent.name == _RUNS
                and (noted / "cgroup.procs").exists()
            ):
                return noted
        return None if self.root is None else self.root / key


def delegated() -> Path | None:
    """The cgroup of this process, where it was given to us to divide; None where it was not."""
    try:
        own = own_cgroup(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
        return own if own is not None and is_delegated(own, uid=os.geteuid()) else None
    except OSError:
        return None


def own_cgroup(cgroups: str, mounts: str) -> Path | None:
    """Where the cgroup of a process is, by its /proc/PID/cgroup and mountinfo; None where it cannot be seen."""
    path = next((line[len(_OWN) :] for line in cgroups.splitlines() if line.startswith(_OWN)), None)
    for line in mounts.splitlines():
        where, _, what = line.partition(" - ")
        if path is not None and what.startswith("cgroup2 "):
            _, _, _, root, place, *_ = where.split(" ")
            with contextlib.suppress(ValueError):  # mounted is another part of the tree
                return Path(place) / Path(path).relative_to(root)
    return None


def is_delegated(cgroup: Path, *, uid: int) -> bool:
    """Is this cgroup ours to divide? The systemd that made it says so, or made it over to a user that is not root.

    The root of all never is.
    """
    if not (cgroup / "cgroup.type").exists() or not os.access(cgroup, os.W_OK | os.X_OK):
        return False
    if any(_mark(cgroup, name) == b"1" for name in _MARKS):
        return True
    return uid != 0 and cgroup.stat().st_uid == uid


def _mark(cgroup: Path, name: str) -> bytes:
    try:
        return os.getxattr(cgroup, name)
    except OSError:
        return b""


def _join(cgroup: Path) -> bool:
    """Make a cgroup and put this process into it; False where that cannot be."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            cgroup.mkdir(parents=True, exist_ok=True)
            _write(cgroup / "cgroup.procs", b"0")
            return True
    return False


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _kill(cgroup: Path) -> bool:
    """Kill all in it and below; False where this kernel cannot (before Linux 5.14)."""
    try:
        _write(cgroup / "cgroup.kill", b"1")
    except OSError as error:
        return error.errno == errno.ENODEV  # it has just been removed
    return True


def _processes(cgroup: Path | str) -> Iterator[int]:
    """The pids in it and below, zombies not among them; 0 for one that this process cannot see."""
    for folder, _, _ in os.walk(cgroup):
        with contextlib.suppress(OSError):  # just removed; or threaded, by which it gave itself away
            yield from map(int, Path(folder, "cgroup.procs").read_text().split())


def _remove(cgroup: Path) -> None:
    """Remove one in which no process is, with those that the run made below it."""
    for folder, _, _ in os.walk(cgroup, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
