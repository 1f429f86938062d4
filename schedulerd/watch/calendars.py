"""The calendar files beside a schedule file: `*.ics`, and `*.txt` with a date on each line."""

import os
from datetime import date
from pathlib import Path
from typing import Final

from schedulerd.domain.blackout_values import FIRST_YEAR, LAST_YEAR, DaysOff
from schedulerd.domain.entries import BadEntry
from schedulerd.domain.names import near_names
from schedulerd.errors import BadDefinition
from schedulerd.watch.ics import MOST, days_off_of_ics
from schedulerd.watch.public_holidays import public_holidays
from schedulerd.watch.trust import Trust, read_trusted

MAX_FILE_BYTES: Final = 1 << 20
SUFFIXES: Final = (".ics", ".txt")


class CalendarsBeside:
    """The calendars that schedule files of a folder may name. Only files that may be believed are read."""

    def __init__(self, folder: Path, trust: Trust) -> None:
        self._folder = folder
        self._trust = trust

    def file(self, name: str, *, timezone: str) -> DaysOff:
        """What the calendar of this name closes; `BadEntry` for the name, `BadDefinition` for what is in the file."""
        if name != Path(name).name or not name.endswith(SUFFIXES):
            raise BadEntry(f"{name!r} is not the name of an .ics or .txt file in the folder of this file")
        path = self._folder / name
        if not os.path.lexists(path):
            raise self._missing(name)
        if _leads_out(path, self._folder):
            raise BadEntry(f"{name} is a symlink that leads out of {self._folder}; put the file itself there")
        return read_calendar(path, timezone=timezone, trust=self._trust)

    def holidays(self, code: str) -> tuple[date, ...]:
        """The public holidays of a country or a part of one, ascending."""
        return public_holidays(code)

    def _missing(self, name: str) -> BadEntry:
        near = near_names(name, _calendars_in(self._folder), limit=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return BadEntry(
            f"there is no {name} in {self._folder}{hint}",
            mend="a calendar lies beside the file that names it",
        )


def read_calendar(path: Path, *, timezone: str, trust: Trust) -> DaysOff:
    """What a calendar file closes in a zone, or `BadDefinition` with the line that is wrong."""
    content = read_trusted(path, trust, limit=MAX_FILE_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadDefinition("not UTF-8 text", file=path, line=line) from error
    if path.suffix == ".ics":
        return days_off_of_ics(text, file=str(path), timezone=timezone)
    return DaysOff(days=_dates(text, path))


def _dates(text: str, path: Path) -> tuple[date, ...]:
    """The date of each line; from a # on a line is a comment."""
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.split("\n"), 1)]
    days = {_day(said, path, number) for number, said in lines if said}
    if len(days) > MOST:
        raise BadDefinition(f"has more than {MOST} days", file=path)
    return tuple(sorted(days))


def _day(said: str, path: Path, line: int) -> date:
    try:
        day = date.fromisoformat(said)
    except ValueError as error:
        reason = f"{said[:40]!r} is no date; write one on each line, like 2026-12-31"
        raise BadDefinition(reason, file=path, line=line) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        reason = f"the year {day.year} is not one of {FIRST_YEAR} to {LAST_YEAR}"
        raise BadDefinition(reason, file=path, line=line)
    return day


def _calendars_in(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(SUFFIXES))
    except OSError:
        return []


def _leads_out(path: Path, folder: Path) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath((os.path.realpath(path), real)) != real
