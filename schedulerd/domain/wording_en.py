"""What a schedule says, in English."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, assert_never

from schedulerd.domain.cron import LAST, CronFields, parse_cron
from schedulerd.domain.cron_tokens import DAY, HOUR, MINUTE, MONTH, SECOND
from schedulerd.domain.rrule_text import Frequency
from schedulerd.domain.schedules import (
    After,
    Blackout,
    BlackoutAction,
    Cron,
    DayMatch,
    FileAppears,
    Interval,
    Once,
    Reboot,
    RRule,
    ScheduleDefinition,
    Webhook,
    When,
)
from schedulerd.domain.wording_parts import (
    PlainRule,
    clock,
    counted_in,
    even_step,
    in_month_order,
    local_time,
    names_month_days,
    names_weekdays,
    plain_rule,
    run_words,
    runs,
    times_of_day,
    times_of_rule,
    week_of,
)

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NTH: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_UNITS: Final = {
    "w": "week",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "s": "second",
    "ms": "millisecond",
}
_ENDS: Final = {"timed_out": "timed out", "cancelled": "was cancelled"}
_PERIODS: Final = {
    Frequency.YEARLY: "year",
    Frequency.MONTHLY: "month",
    Frequency.WEEKLY: "week",
    Frequency.DAILY: "day",
    Frequency.HOURLY: "hour",
    Frequency.MINUTELY: "minute",
    Frequency.SECONDLY: "second",
}


def sentence(when: When, name: str) -> str:
    """When it fires, without the full stop: `at 02:30 every day, Europe/Berlin time`."""
    match when:
        case Cron():
            said = cron_in_words(parse_cron(when.expression, name=name, day_match=when.day_match))
        case Interval():
            said = _interval(when)
        case Once():
            said = f"once, on {_moment(local_time(when.at, when.timezone))}"
        case RRule():
            rule = plain_rule(when)
            said = f"by the rule {when.expression}" if rule is None else _rule(rule, when.timezone)
        case Reboot():
            return "once after each start of the machine"
        case After():
            return _after(when)
        case FileAppears():
            return f"for each file that appears as {when.pattern}"
        case Webhook():
            return f"for each call of the webhook {when.hook}"
        case _:  # pragma: no cover - every kind is above
            assert_never(when)
    return f"{said}, {when.timezone} time" if when.timezone != "UTC" else f"{said}, UTC"


def _after(when: After) -> str:
    ends = [_ENDS.get(state.value, state.value) for state in when.states]
    return f"after each run of {_joined(when.flows, 'or')} that {_joined(ends, 'or')}"


def qualified(definition: ScheduleDefinition) -> str:
    """The sentence with the start and the end, the jitter and the blackout of the schedule."""
    parts = [sentence(definition.when, definition.name), _bounds(definition)]
    if definition.jitter:
        parts.append(f"up to {_duration(definition.jitter)} later")
    if definition.blackout is not None:
        parts.append(_blackout(definition.blackout))
    return ", ".join(part for part in parts if part)


def day_name(day: date) -> str:
    """The weekday, short: `Mon`."""
    return WEEKDAYS[day.isoweekday() % 7][:3]


def cron_in_words(fields: CronFields) -> str:
    """The expression as a phrase, without its zone."""
    said, is_time_of_day = _time(fields)
    days = _days(fields, "every day" if is_time_of_day else "")
    years = "" if fields.years is None else f"in {_listed(fields.years, str, 'to')}"
    return " ".join(part for part in (said, days, years) if part)


def _interval(when: Interval) -> str:
    number, unit = counted_in(when.every)
    every = f"every {_UNITS[unit]}" if number == 1 else f"every {number} {_UNITS[unit]}s"
    if when.anchor is None:
        return every
    return f"{every}, counted from {_moment(local_time(when.anchor, when.timezone))}"


def _rule(rule: PlainRule, timezone: str) -> str:
    text = rule.text
    months = f"in {_listed(text.months, _month, 'to')}" if text.months else ""
    parts = [_every(rule), months, _rule_days(rule), _rule_times(rule)]
    said = " ".join(part for part in parts if part)
    if rule.start is not None:
        said += f", from {_start(rule.start)}"
    return said if text.until is None else f"{said}, until {_end(local_time(text.until, timezone))}"


def _every(rule: PlainRule) -> str:
    unit, number = _PERIODS[rule.text.frequency], rule.text.interval
    if unit == "day" and number == 1 and rule.text.names_days:
        return ""
    return f"every {unit}" if number == 1 else f"every {number} {unit}s"


def _rule_days(rule: PlainRule) -> str:
    if rule.counted:
        return f"on the {_counted(rule.counted)}"
    if rule.weekdays:
        return f"on {_listed(rule.weekdays, _weekday, 'to')}"
    return f"on the {_month_days(rule.month_days, rule.last_day)}" if rule.text.month_days else ""


def _rule_times(rule: PlainRule) -> str:
    text = rule.text
    if text.frequency is Frequency.HOURLY:
        at_minutes = f"at minute{_s(text.minutes)} {_listed(text.minutes, str, 'to')}"
        return "on the hour" if text.minutes == (0,) else at_minutes
    times = times_of_rule(text)
    return f"at {_joined(times)}" if times else ""


def _bounds(definition: ScheduleDefinition) -> str:
    timezone = definition.when.timezone
    start = "" if definition.start is None else f"from {_start(local_time(definition.start, timezone))}"
    end = "" if definition.end is None else f"until {_end(local_time(definition.end, timezone))}"
    return f"{start} {end}".strip()


def _blackout(blackout: Blackout) -> str:
    parts = [*map(_calendar, blackout.calendars)]
    parts += [
        f"in the {_duration(one.duration)} from {_window_start(one.expression)}" for one in blackout.windows
    ]
    if not blackout.calendars:  # whose days and spans would be counted a second time
        parts += [f"on {len(blackout.days)} day{_s(blackout.days)}"] if blackout.days else []
        parts += [f"in {len(blackout.spans)} span{_s(blackout.spans)} of time"] if blackout.spans else []
    if not parts:
        return ""
    after = ", but right after" if blackout.action is BlackoutAction.RUN_AFTER else ""
    return f"not {_joined(parts, 'or')}{after}"


def _calendar(name: str) -> str:
    return f"on {name}" if name.startswith("holidays ") else f"on days of {name}"


def _window_start(expression: str) -> str:
    return cron_in_words(parse_cron(expression)).removeprefix("at ")


def _duration(duration: timedelta) -> str:
    number, unit = counted_in(duration)
    return f"{number} {_UNITS[unit]}{'' if number == 1 else 's'}"


def _start(moment: datetime) -> str:
    """A day that something begins with, with its time where that is not its midnight."""
    return _date(moment) if moment.time() == time.min else _moment(moment)


def _end(moment: datetime) -> str:
    """A day that something ends with, with its time where that is not its last second."""
    return _date(moment) if moment.time() >= time(23, 59, 59) else _moment(moment)


def _moment(moment: datetime) -> str:
    return f"{_date(moment)} at {clock(moment.hour, moment.minute, moment.second)}"


def _date(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def _time(fields: CronFields) -> tuple[str, bool]:
    """The time as words, and whether it names times of day."""
    if times := times_of_day(fields):
        return f"at {_joined(times)}", True
    if fields.seconds == fields.minutes == (0,) and (hours := _whole_hours(fields)):
        return hours, False
    parts = (_seconds(fields), _minutes(fields), _hours(fields))
    return " ".join(part for part in parts if part), False


def _whole_hours(fields: CronFields) -> str:
    """Hours on the hour, where they have an order that is shorter than their list."""
    if len(fields.hours) == HOUR.size:
        return "every hour on the hour"
    if step := even_step(fields.token(HOUR)):
        return f"every {step} hours on the hour"
    if len(runs(fields.hours)) == 1:
        return f"every hour from {fields.hours[0]:02}:00 to {fields.hours[-1]:02}:00"
    return ""


def _seconds(fields: CronFields) -> str:
    if fields.seconds == (0,):
        return ""
    if len(fields.seconds) == SECOND.size:
        return "every second"
    if step := even_step(fields.token(SECOND)):
        return f"every {step} seconds"
    return f"at second{_s(fields.seconds)} {_listed(fields.seconds, str, 'to')}"


def _minutes(fields: CronFields) -> str:
    every_second = len(fields.seconds) > 1
    if len(fields.minutes) == MINUTE.size:
        return "" if every_second and len(fields.hours) == HOUR.size else _of("every minute", fields)
    if step := even_step(fields.token(MINUTE)):
        return _of(f"every {step} minutes", fields)
    return _of(f"at minute{_s(fields.minutes)} {_listed(fields.minutes, str, 'to')}", fields)


def _of(minutes: str, fields: CronFields) -> str:
    """Tie the minutes to seconds that were said before them."""
    return minutes if fields.seconds == (0,) else f"of {minutes.removeprefix('at ')}"


def _hours(fields: CronFields) -> str:
    if len(fields.hours) == HOUR.size:
        is_rhythm = len(fields.minutes) == MINUTE.size or even_step(fields.token(MINUTE))
        return "" if is_rhythm else "of every hour"
    if step := even_step(fields.token(HOUR)):
        return f"of every {_ordinal(step)} hour from 00"
    if len(runs(fields.hours)) == 1:
        return f"from {fields.hours[0]:02}:00 to {fields.hours[-1]:02}:59"
    return f"of the hours {_listed(fields.hours, _two_digits, 'to')}"


def _days(fields: CronFields, each_day: str) -> str:
    """The days and months; `each_day` is said where there are no days."""
    months = "" if len(fields.months) == MONTH.size else _listed(fields.months, _month, "to")
    in_months = f"in {months}" if months else ""
    if names_month_days(fields) and names_weekdays(fields) and fields.day_match is DayMatch.EITHER:
        by_day, by_weekday = _of_month(fields, "the month"), _of_week(fields, "the month")
        return f"{in_months} {by_day}, and {by_weekday} too".lstrip()
    if names_month_days(fields):
        weekdays = _listed(week_of(fields.weekdays), _weekday, "to", "or") if names_weekdays(fields) else ""
        where = f" where that is {weekdays}" if weekdays else ""
        return _of_month(fields, months or "the month") + where
    if fields.nth_weekdays:
        return _of_week(fields, months or "the month")
    by_weekday = _of_week(fields, "") if names_weekdays(fields) else each_day
    return f"{by_weekday} {in_months}".strip()


def _of_month(fields: CronFields, month: str) -> str:
    if fields.nearest_weekday is not None:
        return f"on the weekday nearest to the {_ordinal(fields.nearest_weekday)} of {month}"
    if step := even_step(fields.token(DAY)):
        return f"on every {_ordinal(step)} day from the 1st of {month}"
    return f"on the {_month_days(sorted(fields.days), fields.last_day)} of {month}"


def _month_days(days: Sequence[int], last_day: bool) -> str:
    return _joined([*run_words(days, _ordinal, " to the "), *(["last day"] if last_day else [])])


def _of_week(fields: CronFields, month: str) -> str:
    if fields.nth_weekdays:
        return f"on the {_counted(fields.nth_weekdays)} of {month}"
    return f"on {_listed(week_of(fields.weekdays), _weekday, 'to')}"


def _counted(weekdays: Iterable[tuple[int, int]]) -> str:
    """`first Monday and last Friday`, the last ones last."""
    return _joined(f"{_NTH[n]} {_weekday(weekday)}" for weekday, n in in_month_order(weekdays))


def _listed(values: Sequence[int], word: Callable[[int], str], to: str, last: str = "and") -> str:
    return _joined(run_words(values, word, f" {to} "), last)


def _joined(words: Iterable[str], last: str = "and") -> str:
    *rest, end = words
    return f"{', '.join(rest)} {last} {end}" if rest else end


def _s(values: Sequence[object]) -> str:
    return "s" if len(values) > 1 else ""


def _two_digits(number: int) -> str:
    return f"{number:02}"


def _month(number: int) -> str:
    return MONTHS[number - 1]


def _weekday(number: int) -> str:
    return WEEKDAYS[number % 7]


def _ordinal(number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else suffix}"
