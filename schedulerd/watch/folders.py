"""One look at the watched folders: which files are there, with which content. Decides nothing.

In a flow folder the `*.py` files directly in it, except those beginning with `_` or `.`, are flow files; every other
`*.py` in or below it is a module that they may import, so a change of one is told too, and the caller decides whose
flows it touches. In a schedule folder the `*.toml` files directly in it count, the calendars beside them that they may
name (`*.ics`, `*.txt`), and crontabs (`*.crontab`); in a crontab folder the crontabs.

A file whose name is no text (schedulerd/file_names.py) is a problem, and nothing besides: here is where it is told, and nobody
further on meets one. A folder of such a name costs the files in it that would count, and no others.

What cannot be read, or may not be believed (watch/trust.py), is a problem and counts as unchanged: the last good
version of it stays in force. What vanishes while we look is simply not there.
"""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from schedulerd.errors import BadDefinition, UnreadableName
from schedulerd.file_names import is_text
from schedulerd.watch.trust import Trust

MAX_FILE_BYTES: Final = 10 << 20
MAX_ENTRIES: Final = 10_000

# Two writes within one tick of the file system's clock leave the same mtime, so a file that was written just before it
# was read is read again. The margin covers file systems that count in whole seconds.
_RACY: Final = timedelta(seconds=2)
_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules"})


Stamp = tuple[int, int, int, int, int]
"""What tells of a change without reading: device, inode, size, mtime and ctime in nanoseconds."""


class Role(StrEnum):
    """What a file is to us."""

    FLOW = "flow"
    MODULE = "module"
    SCHEDULES = "schedules"
    CALENDAR = "calendar"
    CRONTAB = "crontab"


_SCHEDULE_ROLES: Final = {
    ".toml": Role.SCHEDULES,
    ".ics": Role.CALENDAR,
    ".txt": Role.CALENDAR,
    ".crontab": Role.CRONTAB,
}
"""What the files of a schedule folder are, by their suffix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedFolder:
    """A folder to look at: of flow files (`Role.FLOW`), schedule files (`Role.SCHEDULES`) or crontabs (`Role.CRONTAB`)."""

    path: Path
    role: Role


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenFile:
    """A file as it was seen. `folder` is the watched folder it belongs to; `hash` the SHA-256 of its content, in hex."""

    path: Path
    folder: Path
    role: Role
    hash: str
    stamp: Stamp


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What one look saw. `folders` are the folders that were walked, with what tells one from another in its place.

    `withheld` are files and folders that are there but could not be taken, each with a problem.
    """

    files: Mapping[Path, SeenFile] = field(default_factory=dict)
    problems: tuple[BadDefinition, ...] = ()
    withheld: frozenset[Path] = frozenset()
    folders: Mapping[Path, tuple[int, int]] = field(default_factory=dict)


def scan(folders: Sequence[WatchedFolder], previous: Scan, *, now: datetime, uid: int | None = None) -> Scan:
    """Look at all folders. Content is read only where its stamp differs from `previous`, or is too fresh to tell.

    `uid` is the user that must be able to trust the files, by default our own.
    """
    look = _Look(previous, Trust(os.geteuid() if uid is None else uid), fresh_since=now - _RACY)
    for folder in folders:
        look.at_root(folder)
    return look.seen()


class _Look:
    """The work of one scan, and what it has gathered so far."""

    def __init__(self, previous: Scan, trust: Trust, *, fresh_since: datetime) -> None:
        self._previous = previous
        self._trust = trust
        self._fresh_since_ns = int(fresh_since.timestamp() * 1_000_000_000)
        self._files: dict[Path, SeenFile] = {}
        self._problems: list[BadDefinition] = []
        self._withheld: set[Path] = set()
        self._folders: dict[Path, tuple[int, int]] = {}

    def seen(self) -> Scan:
        return Scan(
            files=self._files,
            problems=tuple(self._problems),
            withheld=frozenset(self._withheld),
            folders=self._folders,
        )

    def at_root(self, folder: WatchedFolder) -> None:
        """Look at a watched folder. It may itself be a symlink; what is in it may not lead out of it."""
        try:
            real = os.path.realpath(folder.path, strict=True)
        except FileNotFoundError:
            # A volume that is not mounted, or a folder that is being swapped: nobody has said that its files are no more.
            self._withhold_folder(folder.path, _missing(folder.path))
        except OSError as error:  # a loop of symlinks, or a folder above that may not be entered
            self._withhold_folder(folder.path, _unreadable(folder.path, error))
        else:
            self._at_folder(folder.path, folder, real)

    def _at_folder(self, path: Path, root: WatchedFolder, real: str) -> None:
        try:
            status = path.stat()
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._withhold_folder(path, _unreadable(path, error))
            return
        self._folders[path] = (status.st_dev, status.st_ino)
        if fault := self._trust.fault(path, status):
            self._withhold_folder(path, fault)
        elif path == root.path or all(entry.name != "pyvenv.cfg" for entry in entries):
            # (a virtual environment is nobody's local modules)
            for entry in entries:
                self._at_entry(entry, root, real)

    def _at_entry(self, entry: os.DirEntry[str], root: WatchedFolder, real: str) -> None:
        path = Path(entry.path)
        if len(self._files) + len(self._folders) >= MAX_ENTRIES:
            self._withhold(
                root.path,
                BadDefinition(f"more than {MAX_ENTRIES} files; the rest is left out", file=root.path),
            )
        elif entry.is_symlink():
            self._at_link(path, root, real)
        elif entry.is_dir(follow_symlinks=False):
            if root.role is Role.FLOW and _may_be_package(entry.name):
                self._at_folder(path, root, real)
        elif role := _role(path, root):
            self._at_file(path, root, role)

    def _at_link(self, path: Path, root: WatchedFolder, real: str) -> None:
        """A symlink to a file of the folder stands for it; one to a folder is not followed (it may be a loop)."""
        role = _role(path, root)
        try:
            target = os.path.realpath(path, strict=True)
        except FileNotFoundError:
            return
        except OSError as error:
            if role:
                self._withhold(path, _unreadable(path, error))
            return
        is_folder = root.role is Role.FLOW and _may_be_package(path.name) and os.path.isdir(target)
        if os.path.commonpath((target, real)) == real:
            if role and not is_folder:
                self._at_file(path, root, role)
        elif role or is_folder:
            self._withhold(path, _leads_out(path, target, root))

    def _at_file(self, path: Path, root: WatchedFolder, role: Role) -> None:
        if not is_text(path):
            self._withhold(path, UnreadableName(path))
            return
        try:
            status = path.stat()
            if fault := _fault(path, status) or self._trust.fault(path, status):
                self._withhold(path, fault)
            else:
                self._files[path] = self._known(path, status) or _read(path, root, role)
        except FileNotFoundError:
            return  # gone between the listing and now
        except OSError as error:
            self._withhold(path, _unreadable(path, error))

    def _known(self, path: Path, status: os.stat_result) -> SeenFile | None:
        """The file as it was seen before, where it is certain that it has not changed since."""
        before = self._previous.files.get(path)
        is_same = (
            before is not None
            and before.stamp == _stamp(status)
            and status.st_mtime_ns < self._fresh_since_ns
        )
        return before if is_same else None

    def _withhold(self, path: Path, problem: BadDefinition) -> None:
        """Report something, and go on counting what was known of it."""
        if path not in self._withheld:
            self._problems.append(problem)
        self._withheld.add(path)
        if path in self._previous.files:
            self._files.setdefault(path, self._previous.files[path])

    def _withhold_folder(self, path: Path, problem: BadDefinition) -> None:
        self._withhold(path, problem)
        for known, file in self._previous.files.items():
            if path in known.parents:
                self._files.setdefault(known, file)


def _role(path: Path, root: WatchedFolder) -> Role | None:
    if path.name.startswith("."):
        return None
    if root.role is not Role.FLOW:
        role = _SCHEDULE_ROLES.get(path.suffix)
        return role if root.role in (Role.SCHEDULES, role) else None
    if path.suffix != ".py":
        return None
    return Role.FLOW if path.parent == root.path and not path.name.startswith("_") else Role.MODULE


def _may_be_package(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED_FOLDERS


def _read(path: Path, root: WatchedFolder, role: Role) -> SeenFile:
    """The file as it is now: the hash of its content, and the stamp of the very file that was read."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        stamp = _stamp(os.fstat(stream.fileno()))
        digest = hashlib.sha256(stream.read(MAX_FILE_BYTES + 1)).hexdigest()
    return SeenFile(path=path, folder=root.path, role=role, hash=digest, stamp=stamp)


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _fault(path: Path, status: os.stat_result) -> BadDefinition | None:
    if not stat.S_ISREG(status.st_mode):
        return BadDefinition("refused: it is not a regular file", file=path)
    if status.st_size > MAX_FILE_BYTES:
        return BadDefinition(f"is larger than {MAX_FILE_BYTES} bytes", file=path)
    return None


def _missing(path: Path) -> BadDefinition:
    return BadDefinition("there is no such folder", file=path, mend=f"mkdir -p {path}")


def _unreadable(path: Path, error: OSError) -> BadDefinition:
    mend = f"chmod u+r {path}" if isinstance(error, PermissionError) else ""
    return BadDefinition(f"cannot be read: {error.strerror}", file=path, mend=mend)


def _leads_out(path: Path, target: str, root: WatchedFolder) -> BadDefinition:
    return BadDefinition(
        f"refused: it is a symlink that leads out of {root.path}",
        file=path,
        mend=f"put the thing itself there: rm {path} && cp -r {target} {path}",
    )
