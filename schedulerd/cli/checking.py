"""What `validate` looks at: each file is good, or has findings with their places."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schedulerd.config import Settings, load_settings
from schedulerd.domain.definitions import resolve
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.domain.schedules import ScheduleDefinition, Webhook
from schedulerd.errors import BadDefinition
from schedulerd.operations.inspecting import inspect_file
from schedulerd.watch.calendars import SUFFIXES, read_calendar
from schedulerd.watch.crontab_reading import read_crontab_file
from schedulerd.watch.crontabs import SUFFIX
from schedulerd.watch.folders import Role, Scan, WatchedFolder, scan
from schedulerd.watch.schedule_files import ScheduleFile, read_schedule_file, refuse_unknown_pools
from schedulerd.watch.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS_NAME: Final = "schedulerd.toml"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A file, and what is wrong with it; an empty message says that it is good, and `holds` what it defines."""

    file: str
    line: int | None = None
    message: str = ""
    mend: str = ""
    holds: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Is nothing wrong?"""
        return not self.message


@dataclass(kw_only=True)
class Checker:
    """Looks at files, and remembers what they define. A finding comes as soon as it is known: each file may take its time."""

    settings: Settings
    files: list[FileDefinition] = field(default_factory=list)
    schedules: list[ScheduleDefinition] = field(default_factory=list)

    def everything(self, settings_file: Path | None) -> Iterator[Finding]:
        """All that the settings name, and then whether it fits together."""
        if settings_file is not None:
            yield Finding(file=str(settings_file), holds=("settings",))
        yield from _urls_files(self.settings)
        yield from self._seen(scan(_watched(self.settings), Scan(), now=_LONG_AGO))
        for failures in resolve(self.files, self.schedules).errors.values():
            yield from map(_of_failure, failures)

    def webhooks(self) -> list[ScheduleDefinition]:
        """The schedules with webhooks of what has been looked at, without those that are turned off."""
        found = [
            *self.schedules,
            *(one for file in self.files for flow in file.flows for one in flow.schedules),
        ]
        return [one for one in found if one.enabled and isinstance(one.when, Webhook)]

    def path(self, path: Path, environ: "Mapping[str, str]") -> Iterator[Finding]:
        """One file, or the files of a folder and of those below it that the settings name."""
        if path.is_dir():
            found = self._folder(path, environ)
            yield next(found, None) or _nothing_in(path)
            yield from found
        elif path.name == _SETTINGS_NAME:
            yield from _settings(path, environ)
        elif path.suffix == ".toml":
            yield from self._schedules(read_schedule_file(path, timezone=self.settings.timezone))
        elif path.suffix == SUFFIX:
            yield from self._schedules(read_crontab_file(path, timezone=self.settings.timezone))
        elif path.suffix in SUFFIXES:
            yield self._calendar(path)
        else:
            yield self._flow_file(path, roots=[path.parent])

    def _folder(self, path: Path, environ: "Mapping[str, str]") -> Iterator[Finding]:
        if (path / _SETTINGS_NAME).is_file():
            yield from _settings(path / _SETTINGS_NAME, environ)
        folders = [WatchedFolder(path=path, role=role) for role in (Role.FLOW, Role.SCHEDULES)]
        named = [one for one in _watched(self.settings) if path in one.path.resolve().parents]
        # a file counts as what the last of its folders makes of it
        yield from self._seen(scan([*folders, *named], Scan(), now=_LONG_AGO))

    def _seen(self, seen: Scan) -> Iterator[Finding]:
        told: set[Finding] = set()
        for finding in chain(map(_of_error, seen.problems), self._each(seen)):
            if finding not in told:  # each once
                told.add(finding)
                yield finding

    def _each(self, seen: Scan) -> Iterator[Finding]:
        for file in sorted(seen.files.values(), key=lambda one: one.path):
            if file.role is Role.FLOW:
                yield self._flow_file(file.path, roots=[file.folder])
            elif file.role is Role.SCHEDULES and file.path.name != _SETTINGS_NAME:
                yield from self._schedules(read_schedule_file(file.path, timezone=self.settings.timezone))
            elif file.role is Role.CRONTAB:
                yield from self._schedules(read_crontab_file(file.path, timezone=self.settings.timezone))
            elif file.role is Role.CALENDAR and file.path.suffix == ".ics":  # a .txt may be anything
                yield self._calendar(file.path)

    def _flow_file(self, path: Path, *, roots: Sequence[Path]) -> Finding:
        found = inspect_file(
            path,
            roots=roots,
            timeout=self.settings.inspect_timeout,
            timezone=self.settings.timezone,
            pools=self.settings.pools,
        )
        if isinstance(found, Failure):
            return _of_failure(found)
        self.files.append(found)
        return Finding(file=str(path), holds=tuple(flow.name for flow in found.flows))

    def _schedules(self, read: ScheduleFile) -> Iterable[Finding]:
        read = refuse_unknown_pools(read, self.settings.pools)
        self.schedules += read.definitions
        yield from map(_of_error, read.errors)
        if not read.errors:
            yield Finding(file=read.path, holds=tuple(one.name for one in read.definitions))

    def _calendar(self, path: Path) -> Finding:
        trust = Trust(os.geteuid())
        try:
            found = read_calendar(path, timezone=self.settings.timezone, trust=trust)
        except BadDefinition as error:
            return _of_error(error)
        return Finding(file=str(path), holds=(f"{len(found.days)} days", f"{len(found.spans)} spans"))


def _watched(settings: Settings) -> list[WatchedFolder]:
    """The folders that the settings name."""
    return [
        *(WatchedFolder(path=path, role=Role.FLOW) for path in settings.flows),
        *(WatchedFolder(path=path, role=Role.SCHEDULES) for path in settings.schedules),
        *(WatchedFolder(path=path, role=Role.CRONTAB) for path in settings.crontabs),
    ]


def _nothing_in(folder: Path) -> Finding:
    return Finding(
        file=str(folder),
        message="nothing was checked: no flow file (*.py), schedule file (*.toml), crontab (*.crontab) or calendar "
        "(*.ics) lies directly in it",
        mend="of the folders below it those are looked at that the settings name; name others themselves",
    )


def _settings(path: Path, environ: "Mapping[str, str]") -> Iterable[Finding]:
    try:
        settings = load_settings(path, environ)
    except BadDefinition as error:
        return [_of_error(error)]
    return [Finding(file=str(path), holds=("settings",)), *_urls_files(settings)]


def _urls_files(settings: Settings) -> Iterator[Finding]:
    """Where messages go to. Variables that URLs name are the daemon's, and are not looked for here."""
    for file, rule in {one.urls_file: one for one in settings.notify if one.urls_file is not None}.items():
        try:
            count = len(rule.written()) - len(rule.urls)
        except BadDefinition as error:
            yield _of_error(error)
        else:
            yield Finding(file=str(file), holds=(f"{count} URL{'' if count == 1 else 's'}",))


def _of_error(error: BadDefinition) -> Finding:
    return Finding(file=error.file, line=error.line, message=error.reason, mend=error.mend)


def _of_failure(failure: Failure) -> Finding:
    said = f"{failure.type}: {failure.message}" if failure.message else failure.type
    message = failure.message if failure.type.startswith("Bad") else said
    return Finding(file=failure.file or "", line=failure.line, message=message)
