"""Schedule files: `[[schedule]]` entries in TOML, each good or reported with its line, and which of them are in force."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.blackout_values import Calendars
from schedulerd.domain.bundles import NO_SCHEDULES, Bundle, bundled
from schedulerd.domain.limit_values import mend_of, unknown_pool
from schedulerd.domain.names import near_names
from schedulerd.domain.schedule_values import KEYS
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.toml_text import TomlText, parse_toml
from schedulerd.errors import BadDefinition
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.schedule_entries import ScheduleEntry
from schedulerd.watch.trust import Trust, read_trusted

MAX_FILE_BYTES: Final = 1 << 20
MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleFile:
    """What one file says now. `unread` when nothing of it could be taken; `broken` are names of entries with errors.

    `keeps_missing`: something in it is wrong, and it cannot be told which definition that was.
    """

    path: str
    definitions: Bundle = NO_SCHEDULES
    errors: tuple[BadDefinition, ...] = ()
    broken: frozenset[str] = frozenset()
    unread: bool = False
    keeps_missing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulesInForce:
    """The schedules that count, by the path of the file that holds them, and what is wrong with the files.

    A file that says what it said before has the same bundle.
    """

    by_file: Mapping[str, Bundle] = field(default_factory=dict)
    errors: tuple[BadDefinition, ...] = ()

    @property
    def definitions(self) -> tuple[ScheduleDefinition, ...]:
        """All of them, each name once."""
        return tuple(one for path in sorted(self.by_file) for one in self.by_file[path])


def remembered(definitions: Iterable[ScheduleDefinition]) -> SchedulesInForce:
    """What was in force before, from definitions that were stored: their `origin` names their files."""
    return SchedulesInForce(by_file=bundled(definitions))


def in_force(previous: SchedulesInForce, read: Sequence[ScheduleFile]) -> SchedulesInForce:
    """What counts now that the files say `read`.

    An entry with an error keeps its last good version, and so does a whole file that could not be read. A file that
    is not in `read` is gone, with its schedules. A name belongs to the first file by path that has it.
    """
    by_file: dict[str, Bundle] = {}
    errors: list[BadDefinition] = []
    names: set[str] = set()
    for file in sorted(read, key=lambda one: one.path):
        errors.extend(file.errors)
        held = _counting(previous.by_file.get(file.path, NO_SCHEDULES), file)
        if taken := names & held.names:
            errors.extend(_taken(one, _holder(one.name, by_file)) for one in held if one.name in taken)
            held = Bundle(one for one in held if one.name not in taken)
        names |= held.names
        by_file[file.path] = held
    return SchedulesInForce(by_file=by_file, errors=tuple(errors))


def _counting(last_good: Bundle, file: ScheduleFile) -> Bundle:
    if file.unread:
        return last_good
    there = file.definitions.names
    missing = last_good.names - there if file.keeps_missing else frozenset()
    kept = (file.broken | missing) & last_good.names
    if not kept:
        return file.definitions
    return Bundle([*file.definitions, *(one for one in last_good if one.name in kept)])


def _holder(name: str, by_file: Mapping[str, Bundle]) -> str:
    """Where the schedule of this name stands."""
    return next(bundle for bundle in by_file.values() if name in bundle.names).named(name).origin


def _taken(definition: ScheduleDefinition, holder: str) -> BadDefinition:
    path, _, line = definition.origin.rpartition(":")
    reason = f"the name {definition.name!r} is taken by {holder}"
    return BadDefinition(reason, file=path, line=int(line), mend="give one of the two another name")


def refuse_unknown_pools(file: ScheduleFile, pools: Collection[str]) -> ScheduleFile:
    """The file without the entries that name a pool which is not one of these; they are errors of it."""
    unknown = {one.name: fault for one in file.definitions if (fault := unknown_pool(one.pool, pools))}
    if not unknown:
        return file
    errors = [_at(one, unknown[one.name]) for one in file.definitions if one.name in unknown]
    return replace(
        file,
        definitions=Bundle(one for one in file.definitions if one.name not in unknown),
        errors=(*file.errors, *errors),
        broken=file.broken | unknown.keys(),
    )


def _at(definition: ScheduleDefinition, reason: str) -> BadDefinition:
    path, _, line = definition.origin.rpartition(":")
    return BadDefinition(
        f"schedule {definition.name!r}: {reason}",
        file=path,
        line=int(line),
        mend=mend_of(definition.pool or ""),
    )


def read_schedule_file(path: Path, *, timezone: str, uid: int | None = None) -> ScheduleFile:
    """Read a schedule file; never raises for what is in it. `timezone` is for the entries that name none.

    `uid` is the user that must be able to trust the file, by default our own.
    """
    trust = Trust(os.geteuid() if uid is None else uid)
    try:
        text = read_text(path, trust, kind="TOML")
    except BadDefinition as error:
        return ScheduleFile(path=str(path), errors=(error,), unread=True)
    calendars = CalendarsBeside(path.parent, trust)
    return parse_schedule_file(text, path=str(path), timezone=timezone, calendars=calendars)


def read_text(path: Path, trust: Trust, *, kind: str) -> str:
    """The text of a file of definitions; `kind` says what it should have been. Raises `BadDefinition`."""
    return decoded(read_trusted(path, trust, limit=MAX_FILE_BYTES), path, kind=kind)


def decoded(content: bytes, path: Path | str, *, kind: str) -> str:
    """The content as text; `kind` says what it should have been. Raises `BadDefinition` with the line."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadDefinition(f"not {kind}: not UTF-8 text", file=path, line=line) from error


def parse_schedule_file(text: str, *, path: str, timezone: str, calendars: Calendars) -> ScheduleFile:
    """The schedules in the text of a file. An entry with an error costs only itself.

    What is wrong in a calendar is told once, at its own place, and costs each schedule that names it.
    """
    try:
        toml = parse_toml(text, file=path)
        entries = _entries(toml, path)
    except BadDefinition as error:
        return ScheduleFile(path=path, errors=(error,), unread=True)
    errors = [_stray(key, toml, path) for key in toml.data if key != "schedule"]
    good: dict[str, ScheduleDefinition] = {}
    broken = _names_under_strays(toml)
    for index, values in enumerate(entries):
        entry = ScheduleEntry(toml, path, index, values)
        try:
            definition = entry.definition(timezone=timezone, calendars=calendars)
            if definition.name in good:
                raise entry.wrong(f"the name {definition.name!r} stands twice in this file", "name")
            good[definition.name] = definition
        except BadDefinition as error:
            errors.append(error)
            broken |= entry.names()
    errors.sort(key=lambda error: (error.file != path, error.line or 0))
    return ScheduleFile(
        path=path,
        definitions=Bundle(good.values()),
        errors=tuple({str(error): error for error in errors}.values()),
        broken=frozenset(broken - good.keys()),
    )


def _entries(toml: TomlText, path: str) -> Sequence[Any]:
    entries = toml.data.get("schedule", [])
    line = toml.line_of("schedule", 0) or toml.line_of("schedule")
    if not isinstance(entries, list):
        raise BadDefinition("a schedule begins with [[schedule]], in double brackets", file=path, line=line)
    if len(entries) > MAX_ENTRIES:
        raise BadDefinition(f"has more than {MAX_ENTRIES} schedules", file=path, line=line)
    return entries


def _stray(key: str, toml: TomlText, path: str) -> BadDefinition:
    near = near_names(key, ("schedule",))
    hint = (
        "did you mean [[schedule]]?" if near else "it must stand under a [[schedule]]" if key in KEYS else ""
    )
    reason = f"unknown key {key!r}" + (f"; {hint}" if hint else "")
    return BadDefinition(reason, file=path, line=toml.line_of(key) or toml.line_of(key, 0))


def _names_under_strays(toml: TomlText) -> set[str]:
    """The names of entries under a misspelt [[schedule]], so that the slip does not end their schedules."""
    strays = [value for key, value in toml.data.items() if key != "schedule" and isinstance(value, list)]
    tables = [table for stray in strays for table in stray if isinstance(table, dict)]
    return {table["name"] for table in tables if isinstance(table.get("name"), str)}
