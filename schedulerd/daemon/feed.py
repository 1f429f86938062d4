"""From what changed in the folders to what the core is told: reads schedule files and crontabs, and says which flow files to look at."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final

from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.watch.changes import FolderChange
from schedulerd.watch.crontab_reading import read_crontab_file
from schedulerd.watch.crontabs import SUFFIX
from schedulerd.watch.folders import Role, SeenFile
from schedulerd.watch.importers import importers
from schedulerd.watch.schedule_files import (
    ScheduleFile,
    SchedulesInForce,
    in_force,
    read_schedule_file,
    refuse_unknown_pools,
    remembered,
)

_READERS: Final = {Role.SCHEDULES: read_schedule_file, Role.CRONTAB: read_crontab_file}


class Feed:
    """Called by the watcher, from its thread, with each settled change."""

    def __init__(
        self,
        post: Callable[[DefinitionsChanged], None],
        *,
        timezone: str,
        pools: Collection[str],
        last_known: Callable[[], Iterable[ScheduleDefinition]],
    ) -> None:
        """`last_known` gives what was in force before; it is asked once, where something cannot be read."""
        self._post = post
        self._timezone = timezone
        self._pools = pools
        self._last_known = last_known
        self._in_force: SchedulesInForce | None = None
        self._read: dict[str, tuple[_Content, ScheduleFile]] = {}

    def __call__(self, change: FolderChange) -> None:
        """Tell the core."""
        withheld = frozenset(str(path) for path in change.withheld)
        flow_files = frozenset(str(file.path) for file in change.files if file.role is Role.FLOW)
        schedules = self._schedules(change, withheld)
        self._post(
            DefinitionsChanged(
                flow_files=flow_files,
                look_at=_to_look_at(change),
                withheld=withheld,
                refused=change.problems,
                schedules=None if schedules is None else schedules.by_file,
                schedule_errors=() if schedules is None else schedules.errors,
                whole=change.first,
            )
        )

    def _schedules(self, change: FolderChange, withheld: frozenset[str]) -> SchedulesInForce | None:
        touched = any(file.role in _OF_SCHEDULES for file in (*change.changed, *change.removed))
        if not (touched or change.first or withheld):
            return None
        contents = _contents(change.files)
        read = [self._read_file(file, content) for file, content in contents.items()]
        before = self._in_force or self._before(read, withheld)
        read += [
            ScheduleFile(path=path, unread=True)
            for path in before.by_file
            if any(path == held or path.startswith(f"{held}/") for held in withheld)
        ]
        self._in_force = in_force(before, read)
        return self._in_force

    def _before(self, read: Iterable[ScheduleFile], withheld: Collection[str]) -> SchedulesInForce:
        """What was in force at the start, as far as it matters: not where all files can be read."""
        if not withheld and not any(file.unread or file.broken or file.keeps_missing for file in read):
            return SchedulesInForce()
        return remembered(one for one in self._last_known() if _is_of_schedule_file(one))

    def _read_file(self, file: SeenFile, content: "_Content") -> ScheduleFile:
        path = str(file.path)
        known = self._read.get(path)
        if known is None or known[0] != content:
            read = _READERS[file.role](file.path, timezone=self._timezone)
            known = (content, refuse_unknown_pools(read, self._pools))
            self._read[path] = known
        return known[1]


_OF_SCHEDULES: Final = (*_READERS, Role.CALENDAR)
_Content = tuple[str, frozenset[tuple[Path, str]]]
"""What a schedule file says depends on: its own hash, and those of the calendars beside it."""


def _contents(files: Iterable[SeenFile]) -> dict[SeenFile, _Content]:
    """The schedule files and crontabs."""
    beside: dict[Path, set[tuple[Path, str]]] = {}
    for file in files:
        if file.role is Role.CALENDAR:
            beside.setdefault(file.path.parent, set()).add((file.path, file.hash))
    return {
        file: (file.hash, frozenset(beside.get(file.path.parent, ())))
        for file in files
        if file.role in _READERS
    }


def _is_of_schedule_file(definition: ScheduleDefinition) -> bool:
    """Did it come from a schedule file or a crontab, and not from a flow file?"""
    return definition.origin.rpartition(":")[0].endswith((".toml", SUFFIX))


def _to_look_at(change: FolderChange) -> frozenset[str]:
    """Flow files that changed, those that may import them, and all of a folder in which another module did."""
    touched = (*change.changed, *change.removed)
    folders = {file.folder for file in touched if file.role is Role.MODULE}
    flows = [file for file in change.files if file.role is Role.FLOW]
    wanted = {file.path for file in change.changed}
    if any(file.path not in wanted for file in flows):  # else, as at the first look, there are no others
        wanted |= importers(touched, change.files)
    return frozenset(str(file.path) for file in flows if file.path in wanted or file.folder in folders)
