"""When what was seen in the folders counts as changed: once it has stayed the same for a while. Pure."""

from dataclasses import dataclass
from pathlib import Path

from schedulerd.errors import BadDefinition
from schedulerd.watch.folders import Scan, SeenFile


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderChange:
    """What changed since the last one was told, and what is there now.

    `first` marks the first of a watcher, and the first after it was asked to tell everything again: it is whole, so
    what it does not name in `files`, nor has at or under a path of `withheld`, is gone.
    """

    changed: tuple[SeenFile, ...]
    removed: tuple[SeenFile, ...]
    files: tuple[SeenFile, ...]
    problems: tuple[BadDefinition, ...]
    withheld: frozenset[Path]
    first: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """What a path was last seen as (None: gone), and since when without a change."""

    state: SeenFile | None
    since: float


class Settling:
    """Takes one look after the other, and tells a change when it has stayed the same for `settle` seconds.

    A file that is written in pieces, renamed over, or gone for a moment is told once, in its last form. What changes
    together is told together; but nothing waits longer than three times `settle` for a neighbour that does not rest.
    """

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._told: dict[Path, SeenFile] = {}
        self._told_problems: frozenset[str] = frozenset()
        self._pending: dict[Path, _Pending] = {}
        self._problems: tuple[frozenset[str], float] = (frozenset(), 0.0)
        self._waiting_since: float | None = None
        self._first = True

    def forget(self) -> None:
        """Tell everything again, as if nothing had been told yet."""
        self._told, self._pending, self._first = {}, {}, True

    @property
    def is_waiting(self) -> bool:
        """Is something seen that has not been told, so that it is worth looking again soon?"""
        return self._first or bool(self._pending) or self._problems[0] != self._told_problems

    def observe(self, scan: Scan, *, now: float) -> FolderChange | None:
        """Take in a look made at `now` (in monotonic seconds); return what has settled, or None."""
        self._note(scan, now)
        if not self.is_waiting:
            self._waiting_since = None
            return None
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        settled = [path for path, pending in self._pending.items() if now - pending.since >= self._settle]
        if len(settled) < len(self._pending) and now - self._waiting_since < 3 * self._settle:
            return None
        if not (settled or self._first or self._has_other_problems(now)):
            return None
        return self._tell(settled, scan)

    def _has_other_problems(self, now: float) -> bool:
        problems, since = self._problems
        return problems != self._told_problems and now - since >= self._settle

    def _note(self, scan: Scan, now: float) -> None:
        problems = frozenset(map(str, scan.problems))
        if problems != self._problems[0]:
            self._problems = (problems, now)
        for path in self._told.keys() | scan.files.keys() | self._pending.keys():
            seen, pending = scan.files.get(path), self._pending.get(path)
            if _content(seen) == _content(self._told.get(path)):
                self._pending.pop(path, None)
            elif pending is None or pending.state != seen:
                self._pending[path] = _Pending(state=seen, since=now)

    def _tell(self, settled: list[Path], scan: Scan) -> FolderChange:
        states = [(path, self._pending.pop(path).state) for path in settled]
        changed = tuple(state for _, state in states if state is not None)
        removed = tuple(self._told.pop(path) for path, state in states if state is None)
        self._told.update({file.path: file for file in changed})
        unsettled = frozenset(path for path in self._pending if path not in self._told)
        first, self._first = self._first, False
        self._told_problems, self._waiting_since = self._problems[0], None
        return FolderChange(
            changed=tuple(sorted(changed, key=_by_path)),
            removed=tuple(sorted(removed, key=_by_path)),
            files=tuple(self._told[path] for path in sorted(self._told)),
            problems=scan.problems,
            withheld=scan.withheld | unsettled,
            first=first,
        )


def _content(file: SeenFile | None) -> tuple[str, str] | None:
    """What counts as a change: other content, not another time stamp."""
    return None if file is None else (file.hash, file.role)


def _by_path(file: SeenFile) -> Path:
    return file.path
