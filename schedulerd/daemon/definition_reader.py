"""The readers of definitions, as the web process is given them: those that the daemon's own watcher goes by."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.errors import BadDefinition
from schedulerd.operations.definition_readers import CrontabLine, LineKind, Places
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.crontab_lines import Setting
from schedulerd.watch.crontab_reading import parse_crontab
from schedulerd.watch.crontabs import Held, Line, Origin, own_account
from schedulerd.watch.schedule_files import MAX_FILE_BYTES, parse_schedule_file, refuse_unknown_pools
from schedulerd.watch.schedule_texts import schedule_keys
from schedulerd.watch.trust import Trust

_PASTED: Final = "crontab"
"""What a crontab that was pasted is called where a place is told."""


class DefinitionReader:
    """Reads as the daemon does: with the default zone and the pools of its settings, and believing whom it believes."""

    def __init__(self, *, timezone: str, pools: Collection[str]) -> None:
        self._timezone: Final = timezone
        self._pools: Final = pools

    def schedules(self, text: str, path: Path) -> Sequence[ScheduleDefinition]:
        """The schedules of a file at this path that has this text. Raises `BadDefinition` for the first that is wrong."""
        if len(text.encode()) > MAX_FILE_BYTES:
            raise BadDefinition(f"is larger than {MAX_FILE_BYTES} bytes", file=path)
        calendars = CalendarsBeside(path.parent, Trust(os.geteuid()))
        read = parse_schedule_file(text, path=str(path), timezone=self._timezone, calendars=calendars)
        read = refuse_unknown_pools(read, self._pools)
        if read.errors:
            raise read.errors[0]
        return tuple(read.definitions)

    def crontab(self, text: str, *, prefix: str) -> Sequence[CrontabLine]:
        """The lines of a crontab, whose schedules are named after the prefix. Raises `BadDefinition` where it cannot be read."""
        origin = Origin(path=_PASTED, prefix=prefix, timezone=self._timezone, owner=own_account(os.geteuid()))
        return [_line(line) for line in parse_crontab(text, origin).lines]


def _line(line: Line) -> CrontabLine:
    match line.said:
        case ScheduleDefinition() as definition:
            return CrontabLine(
                number=line.number,
                source=line.source,
                kind=LineKind.SCHEDULE,
                message=line.note,
                definition=definition,
                keys=schedule_keys(definition),
            )
        case Setting():
            kind, message = LineKind.VARIABLE, line.note
        case BadDefinition(reason=reason):
            kind, message = LineKind.ERROR, reason
        case Held(by=by):
            kind, message = LineKind.HELD, f"left out for what is wrong on line {by}"
        case _:
            kind, message = LineKind.COMMENT, ""
    return CrontabLine(number=line.number, source=line.source, kind=kind, message=message)


def places_of(told: Mapping[str, Any]) -> Places:
    """Where definitions are, by what the daemon tells."""
    schedules = [Path(folder) for folder in told["schedules"]]
    return Places(
        reader=DefinitionReader(timezone=told["timezone"], pools=told["pools"]),
        schedules=schedules[0] if schedules else None,
        flows=tuple(Path(folder) for folder in told["flows"]),
        pools=tuple(told["pools"]),
        may_upload=told["allow_upload"],
        timezone=told["timezone"],
        inspect_timeout=timedelta(seconds=told["inspect_seconds"]),
    )
