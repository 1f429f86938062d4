"""When the schedules of a flow file are due: what they say, read as the daemon reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schedulerd.domain.entries import BadEntry
from schedulerd.domain.schedule_values import schedule_of
from schedulerd.domain.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime
    from typing import Any

    from schedulerd.authoring.schedules import Schedule
    from schedulerd.domain.blackout_values import DaysOff
    from schedulerd.domain.schedules import ScheduleDefinition


def definition_of(
    said: Mapping[str, Any], *, name: str, flow: str, timezone: str, origin: str
) -> ScheduleDefinition:
    """The definition of a schedule that says this (`Schedule.describe()`); raises `BadEntry`.

    `timezone` is for one that names none.
    """
    values = {**{key: value_of(key, value) for key, value in said.items()}, "name": name, "flow": flow}
    return schedule_of(values, timezone=timezone, origin=origin, calendars=_NoCalendars())


def timings(
    schedules: Sequence[Schedule], *, flow: str, first_seen: datetime
) -> Iterator[tuple[Schedule, Timing]]:
    """The schedules of a flow that are in force, each with its due times; times without a zone are UTC.

    Raises `ValueError` for one that cannot be.
    """
    for number, schedule in enumerate(schedules):
        name = schedule.name or f"{flow}#{number}"
        try:
            definition = definition_of(schedule.describe(), name=name, flow=flow, timezone="UTC", origin=flow)
        except BadEntry as error:
            said = f"schedule {name!r}: {error.reason}" + (f"; {error.mend}" if error.mend else "")
            raise ValueError(said) from error
        if definition.enabled:
            yield schedule, Timing(definition=definition, first_seen=first_seen)


def require(schedules: Sequence[Schedule], *, flow: str) -> None:
    """Raise `ValueError` where one of these schedules of a flow cannot be."""
    from schedulerd.clock import SystemClock

    list(timings(schedules, flow=flow, first_seen=SystemClock().now()))


def next_of(found: Sequence[tuple[Schedule, Timing]], *, after: datetime) -> tuple[datetime, Schedule] | None:
    """The first moment after that one at which one of them is due, and which; None when none is any more."""
    dues = [(due.at, schedule) for schedule, timing in found if (due := timing.next(after)) is not None]
    return min(dues, key=lambda due: due[0], default=None)


_DURATIONS: Final = frozenset({"every", "jitter", "catchup_window", "misfire_grace", "duration", "cpu_time"})


def value_of(key: str, value: Any) -> Any:
    """The value as a schedule file would have it; a duration may be a number of seconds here."""
    if isinstance(value, int | float) and not isinstance(value, bool) and key in _DURATIONS:
        return _seconds(value)
    if key == "blackout" and isinstance(value, list):
        return [
            {name: value_of(name, inner) for name, inner in one.items()} if isinstance(one, dict) else one
            for one in value
        ]
    return value


def _seconds(value: float) -> timedelta | str:
    try:
        return timedelta(seconds=value)
    except OverflowError:
        return str(value)  # which is no duration, and is refused as that


class _NoCalendars:
    """What reads calendars is not at hand where flow files are read."""

    def file(self, name: str, *, timezone: str) -> DaysOff:
        """Refuse."""
        raise _in_files_only()

    def holidays(self, code: str) -> tuple[date, ...]:
        """Refuse."""
        raise _in_files_only()


def _in_files_only() -> BadEntry:
    return BadEntry("only a schedule file can name it; write this schedule into one, in config/schedules/")
