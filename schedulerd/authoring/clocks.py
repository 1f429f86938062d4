"""Schedules as Prefect 1 has them: clocks that name times, and filters that leave some of them out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.filters import blackout_of
from schedulerd.authoring.schedules import Cron, Interval, RRule, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

ANCHOR: Final = datetime(2019, 1, 1, tzinfo=UTC)  # of intervals without a start, as in Prefect 1


class At(Schedule):
    """At one moment."""

    def __init__(self, at: datetime, parameters: Mapping[str, Any] | None = None) -> None:
        zone, local = _local(at, None)
        super().__init__({"at": local, "timezone": zone}, {"parameters": parameters})


class Clock:
    """What names times; `schedules` are ours for it."""

    def __init__(self, *schedules: Schedule) -> None:
        self.schedules = schedules

    def __iter__(self) -> Iterator[Schedule]:
        return iter(self.schedules)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.schedules))})"


class CronClock(Clock):
    """By a cron expression, in the time zone of `start_date`, or in UTC."""

    def __init__(
        self,
        cron: str,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
        day_or: bool | None = None,
    ) -> None:
        zone, start = _local(start_date, None)
        super().__init__(
            Cron(
                cron,
                zone,
                day_or=day_or,
                start=start,
                end=_local(end_date, zone)[1],
                parameters=parameter_defaults,
            )
        )


class IntervalClock(Clock):
    """Every so often from `start_date` on; without one, counted from the beginning of 2019 in UTC."""

    def __init__(
        self,
        interval: timedelta,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        if not isinstance(interval, timedelta):
            raise TypeError(f"interval must be a timedelta, not {interval!r}")
        if interval <= timedelta():
            raise ValueError(f"interval must be more than 0, not {interval!r}")
        zone, start = _local(start_date, None)
        super().__init__(
            Interval(
                interval,
                _local(start_date or ANCHOR, zone)[1],
                zone,
                start=start,
                end=_local(end_date, zone)[1],
                parameters=parameter_defaults,
            )
        )


class DatesClock(Clock):
    """At these moments."""

    def __init__(
        self,
        dates: Iterable[datetime],
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        super().__init__(*[At(one, parameter_defaults) for one in sorted(dates)])


class RRuleClock(Clock):
    """By a recurrence rule: a `dateutil.rrule.rrule`, or its text."""

    def __init__(
        self,
        rrule_obj: Any,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        began = start_date or getattr(rrule_obj, "_dtstart", None)
        zone, start = _local(began, None)
        super().__init__(
            RRule(
                _rule(str(rrule_obj)),
                zone,
                anchor=start,
                start=start if start_date is not None else None,
                end=_local(end_date, zone)[1],
                parameters=parameter_defaults,
            )
        )


class ClockSchedule:
    """Prefect 1's `Schedule`: the times of all clocks together, less those that a filter leaves out.

    A filter is one of `schedulerd.schedules.filters`: the daemon must be able to tell the times without running code of
    the flow file. Adjustments are refused for the same reason.
    """

    def __init__(
        self,
        clocks: Clock | Sequence[Clock],
        filters: Sequence[Callable[..., Any]] | None = None,
        or_filters: Sequence[Callable[..., Any]] | None = None,
        not_filters: Sequence[Callable[..., Any]] | None = None,
        adjustments: Sequence[Any] | None = None,
    ) -> None:
        several: list[Any] = [clocks] if isinstance(clocks, Clock) else list(clocks)
        for clock in several:
            if not isinstance(clock, Clock):
                raise TypeError(
                    f"a clock is CronClock(...), IntervalClock(...) or another, it is not {clock!r}"
                )
        if adjustments:
            raise ValueError(
                "adjustments cannot be had: name the times that are meant in the clock itself, such as "
                'CronClock("0 9 * * 1-5")'
            )
        self.clocks = several
        blackout = blackout_of(filters or (), or_filters or (), not_filters or ())
        self.schedules = tuple(
            [_without(one, blackout) if blackout else one for clock in several for one in clock.schedules]
        )

    def __iter__(self) -> Iterator[Schedule]:
        return iter(self.schedules)

    def __repr__(self) -> str:
        return f"Schedule(clocks={self.clocks!r})"

    def next(self, n: int, after: datetime | None = None, return_events: bool = False) -> list[datetime]:
        """The next `n` times after that moment, or after now."""
        from schedulerd.authoring.schedule_times import next_of, timings
        from schedulerd.clock import SystemClock

        moment = SystemClock().now() if after is None else _aware(after)
        found = list(timings(self.schedules, flow="schedule", first_seen=moment))
        times: list[datetime] = []
        while len(times) < n and (due := next_of(found, after=moment)) is not None:
            moment = due[0]
            times.append(moment)
        return times


def interval_schedule(
    start_date: datetime | None = None,
    interval: timedelta | None = None,
    end_date: datetime | None = None,
) -> ClockSchedule:
    """Every `interval` from `start_date` on. Prefect 1's `IntervalSchedule`."""
    if interval is None:
        raise TypeError("IntervalSchedule needs an interval, a timedelta")
    return ClockSchedule([IntervalClock(interval, start_date, end_date)])


def cron_schedule(
    cron: str,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    day_or: bool | None = None,
    timezone: str | None = None,
) -> ClockSchedule:
    """By a cron expression, in the time zone of `start_date`. Prefect's `CronSchedule`, also that of 2 and 3 with `timezone`."""
    if timezone is not None:
        return ClockSchedule([Clock(Cron(cron, timezone, day_or=day_or))])
    return ClockSchedule([CronClock(cron, start_date, end_date, day_or=day_or)])


def rrule_schedule(
    rrule_obj: Any, start_date: datetime | None = None, end_date: datetime | None = None
) -> ClockSchedule:
    """By a recurrence rule. Prefect 1's `RRuleSchedule`."""
    return ClockSchedule([RRuleClock(rrule_obj, start_date, end_date)])


def _without(schedule: Schedule, blackout: list[dict[str, Any]]) -> Schedule:
    """The schedule, less the times of a blackout."""
    return schedule.saying(blackout=blackout)


def _rule(text: str) -> str:
    """The rule of a text that may have a DTSTART line before it."""
    lines = [line for line in text.split("\n") if line and not line.startswith("DTSTART")]
    if len(lines) != 1:
        raise ValueError(f"a recurrence rule is one rule, not a set of {len(lines)}: {text!r}")
    return lines[0].removeprefix("RRULE:")


def _local(moment: datetime | None, zone: str | None) -> tuple[str, datetime | None]:
    """The name of a moment's zone, or that given, and the moment in its local time; a naive one is UTC."""
    if moment is None:
        return zone or "UTC", None
    if not isinstance(moment, datetime):
        raise TypeError(f"a start or an end is a datetime, not {moment!r}")
    name = _zone_name(moment) if zone is None else zone
    if moment.tzinfo is None or zone is None:
        return name, moment.replace(tzinfo=None)
    from zoneinfo import ZoneInfo

    return name, moment.astimezone(ZoneInfo(name)).replace(tzinfo=None)


def _zone_name(moment: datetime) -> str:
    zone = moment.tzinfo
    if zone is None:
        return "UTC"
    for attribute in ("key", "zone", "name"):  # zoneinfo, pytz, pendulum
        name = getattr(zone, attribute, None)
        if isinstance(name, str) and ("/" in name or name in ("UTC", "GMT")):
            return name
    if moment.utcoffset() == timedelta():
        return "UTC"
    raise ValueError(
        f"{moment.isoformat()} has the offset {zone}, and no time zone: use zoneinfo.ZoneInfo, such as "
        'ZoneInfo("Asia/Seoul")'
    )


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment  # noqa: UP017
