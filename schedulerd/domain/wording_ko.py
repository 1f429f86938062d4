"""What a schedule says, in Korean: years, months, days and times go from the large to the small, particles after them."""

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

WEEKDAYS: Final = "일월화수목금토"
_NTH: Final = {1: "첫째", 2: "둘째", 3: "셋째", 4: "넷째", 5: "다섯째", LAST: "마지막"}
_ENDS: Final = {
    "completed": "완료",
    "failed": "실패",
    "timed_out": "시간 초과",
    "crashed": "비정상 종료",
    "cancelled": "취소",
}
_UNITS: Final = {"w": "주", "d": "일", "h": "시간", "m": "분", "s": "초", "ms": "밀리초"}
_EVERY: Final = {"d": "매일", "w": "매주"}
_PERIODS: Final = {
    Frequency.YEARLY: ("매년", "년"),
    Frequency.MONTHLY: ("매월", "개월"),
    Frequency.WEEKLY: ("매주", "주"),
    Frequency.DAILY: ("매일", "일"),
    Frequency.HOURLY: ("매시", "시간"),
    Frequency.MINUTELY: ("1분마다", "분"),
    Frequency.SECONDLY: ("1초마다", "초"),
}


def sentence(when: When, name: str) -> str:
    """When it fires, without a full stop: `매주 월–금요일 09:00 (Asia/Seoul)`."""
    match when:
        case Cron():
            said = cron_in_words(parse_cron(when.expression, name=name, day_match=when.day_match))
        case Interval():
            said = _interval(when)
        case Once():
            said = f"{_moment(local_time(when.at, when.timezone))}에 한 번"
        case RRule():
            rule = plain_rule(when)
            said = f"규칙 {when.expression}에 따라" if rule is None else _rule(rule, when.timezone)
        case After():
            ends = ", ".join(_ENDS.get(state.value, state.value) for state in when.states)
            return f"{', '.join(when.flows)} 실행이 끝날 때마다({ends})"
        case FileAppears():
            return f"{when.pattern} 파일이 나타날 때마다"
        case Webhook():
            return f"웹훅 {when.hook} 호출이 올 때마다"
        case Reboot():
            return "재부팅할 때마다 한 번"
        case _:  # pragma: no cover - every kind is above
            assert_never(when)
    return f"{said} ({when.timezone})"


def qualified(definition: ScheduleDefinition) -> str:
    """The sentence with the start and the end, the jitter and the blackout of the schedule."""
    parts = [sentence(definition.when, definition.name), _bounds(definition)]
    if definition.jitter:
        parts.append(f"최대 {_duration(definition.jitter)} 늦게")
    if definition.blackout is not None:
        parts.append(_blackout(definition.blackout))
    return ", ".join(part for part in parts if part)


def day_name(day: date) -> str:
    """The weekday, short: `월`."""
    return WEEKDAYS[day.isoweekday() % 7]


def cron_in_words(fields: CronFields) -> str:
    """The expression as a phrase, without its zone."""
    said, is_time_of_day = _time(fields)
    years = "" if fields.years is None else f"{_listed(fields.years)}년"
    months = "" if len(fields.months) == MONTH.size else f"{_listed(fields.months)}월"
    each_year = "매년" if months and not years else ""
    days = _days(fields, "" if months else "매월")
    if is_time_of_day and not days:
        days = "매일"
    return _spaced(years, each_year, months, days, said)


def _interval(when: Interval) -> str:
    number, unit = counted_in(when.every)
    every = _EVERY[unit] if number == 1 and unit in _EVERY else f"{number}{_UNITS[unit]}마다"
    if when.anchor is None:
        return every
    return f"{_moment(local_time(when.anchor, when.timezone))} 기준 {every}"


def _rule(rule: PlainRule, timezone: str) -> str:
    text = rule.text
    start = "" if rule.start is None else f"{_start(rule.start)}부터"
    until = "" if text.until is None else f"{_end(local_time(text.until, timezone))}까지"
    months = f"{_listed(text.months)}월" if text.months else ""
    return _spaced(start, until, _each(rule), months, _rule_days(rule), _rule_times(rule))


def _each(rule: PlainRule) -> str:
    text = rule.text
    each, unit = _PERIODS[text.frequency]
    if text.frequency is Frequency.DAILY and rule.weekdays and text.interval == 1:
        return "매주"
    if text.frequency is Frequency.DAILY and text.month_days and text.interval == 1:
        return "" if text.months else "매월"
    return each if text.interval == 1 else f"{text.interval}{unit}마다"


def _rule_days(rule: PlainRule) -> str:
    if rule.counted:
        return _counted(rule.counted)
    if rule.weekdays:
        return _weekdays(rule.weekdays)
    return _month_days(rule.month_days, rule.last_day) if rule.text.month_days else ""


def _rule_times(rule: PlainRule) -> str:
    text = rule.text
    if text.frequency is Frequency.HOURLY:
        return "정각" if text.minutes == (0,) else f"{_listed(text.minutes)}분"
    return ", ".join(times_of_rule(text))


def _time(fields: CronFields) -> tuple[str, bool]:
    """The time as words, and whether a day is to be said before it."""
    if times := times_of_day(fields):
        return ", ".join(times), True
    is_restricted = len(fields.hours) < HOUR.size and even_step(fields.token(HOUR)) is None
    if fields.seconds == (0,):
        return _minutes(fields), is_restricted
    return _seconds(fields), is_restricted


def _minutes(fields: CronFields) -> str:
    """The minutes of the hours, where the second is 0."""
    if rhythm := _rhythm(fields.minutes, fields.token(MINUTE), MINUTE.size, "분"):
        return _spaced(_hours(fields), rhythm)
    at = "정각" if fields.minutes == (0,) else f"{_listed(fields.minutes)}분"
    if fields.minutes == (0,) and len(runs(fields.hours)) == 1 and len(fields.hours) < HOUR.size:
        return f"{fields.hours[0]:02}:00부터 {fields.hours[-1]:02}:00까지 매시 정각"
    return _spaced(_hours_of_list(fields), at)


def _hours_of_list(fields: CronFields) -> str:
    """The hours before minutes that are named one by one."""
    if len(fields.hours) == HOUR.size:
        return "매시"
    if step := even_step(fields.token(HOUR)):
        return f"{step}시간마다"
    return f"{_listed(fields.hours)}시"


def _hours(fields: CronFields) -> str:
    """The hours before minutes that go on through them."""
    if len(fields.hours) == HOUR.size:
        return ""
    if step := even_step(fields.token(HOUR)):
        return f"0시부터 {step}시간 간격으로 한 시간 동안"
    if len(runs(fields.hours)) == 1:
        return f"{fields.hours[0]:02}:00부터 {fields.hours[-1]:02}:59까지"
    return f"{_listed(fields.hours)}시에"


def _seconds(fields: CronFields) -> str:
    rhythm = _rhythm(fields.seconds, fields.token(SECOND), SECOND.size, "초")
    if len(fields.minutes) == MINUTE.size:
        return _spaced(_hours(fields), rhythm or f"매분 {_listed(fields.seconds)}초")
    if step := even_step(fields.token(MINUTE)):
        minutes = _spaced(_hours(fields), f"{step}분마다")
        return f"{minutes} {f'1분 동안 {rhythm}' if rhythm else f'{_listed(fields.seconds)}초'}"
    minutes = _spaced(_hours_of_list(fields), f"{_listed(fields.minutes)}분")
    return f"{minutes}에 1분 동안 {rhythm}" if rhythm else f"{minutes} {_listed(fields.seconds)}초"


def _rhythm(values: Sequence[int], token: str, size: int, unit: str) -> str:
    """`5분마다` for what goes through the whole field, nothing for values that are named."""
    if len(values) == size:
        return f"1{unit}마다"
    step = even_step(token)
    return f"{step}{unit}마다" if step else ""


def _days(fields: CronFields, each_month: str) -> str:
    """The days; `each_month` goes before days of the month, where no months are named."""
    by_day = _spaced(each_month, _of_month(fields)) if names_month_days(fields) else ""
    by_weekday = _of_week(fields, each_month) if names_weekdays(fields) else ""
    if by_day and by_weekday:
        if fields.day_match is DayMatch.BOTH:
            return f"{by_day} 중 {_weekdays(week_of(fields.weekdays))}인 날"
        return f"{by_day} 또는 {by_weekday}"
    return by_day or by_weekday


def _of_month(fields: CronFields) -> str:
    if fields.nearest_weekday is not None:
        return f"{fields.nearest_weekday}일에서 가장 가까운 평일"
    if step := even_step(fields.token(DAY)):
        both = names_weekdays(fields)
        return f"1일부터 {step}일 간격의 날" if both else f"1일부터 {step}일 간격으로"
    return _month_days(sorted(fields.days), fields.last_day)


def _month_days(days: Sequence[int], last_day: bool) -> str:
    if not last_day:
        return f"{_listed(days)}일"
    return f"{_listed(days)}일과 마지막 날" if days else "마지막 날"


def _of_week(fields: CronFields, each_month: str) -> str:
    if fields.nth_weekdays:
        return _spaced(each_month, _counted(fields.nth_weekdays))
    return f"매주 {_weekdays(week_of(fields.weekdays))}"


def _counted(weekdays: Iterable[tuple[int, int]]) -> str:
    """`첫째 월요일과 마지막 금요일`, the last ones last."""
    *rest, end = (f"{_NTH[n]} {_weekday(weekday)}요일" for weekday, n in in_month_order(weekdays))
    return f"{', '.join(rest)}과 {end}" if rest else end


def _weekdays(weekdays: Iterable[int]) -> str:
    return f"{_listed(weekdays, _weekday)}요일"


def _bounds(definition: ScheduleDefinition) -> str:
    timezone = definition.when.timezone
    start = "" if definition.start is None else f"{_start(local_time(definition.start, timezone))}부터"
    end = "" if definition.end is None else f"{_end(local_time(definition.end, timezone))}까지"
    return _spaced(start, end)


def _blackout(blackout: Blackout) -> str:
    parts = [*map(_calendar, blackout.calendars)]
    parts += [
        f"{cron_in_words(parse_cron(one.expression))}부터 {_duration(one.duration)} 동안"
        for one in blackout.windows
    ]
    if not blackout.calendars:  # whose days and spans would be counted a second time
        parts += [f"지정한 {len(blackout.days)}일"] if blackout.days else []
        parts += [f"지정한 기간 {len(blackout.spans)}개"] if blackout.spans else []
    if not parts:
        return ""
    after = " (끝나면 바로 한 번)" if blackout.action is BlackoutAction.RUN_AFTER else ""
    return f"{', '.join(parts)} 제외{after}"


def _calendar(name: str) -> str:
    code = name.removeprefix("holidays ")
    return f"{code} 공휴일" if code != name else f"{name}의 날"


def _duration(duration: timedelta) -> str:
    number, unit = counted_in(duration)
    return f"{number}{_UNITS[unit]}"


def _start(moment: datetime) -> str:
    """A day that something begins with, with its time where that is not its midnight."""
    return _date(moment) if moment.time() == time.min else _moment(moment)


def _end(moment: datetime) -> str:
    """A day that something ends with, with its time where that is not its last second."""
    return _date(moment) if moment.time() >= time(23, 59, 59) else _moment(moment)


def _moment(moment: datetime) -> str:
    return f"{_date(moment)} {clock(moment.hour, moment.minute, moment.second)}"


def _date(moment: datetime) -> str:
    return f"{moment.year}년 {moment.month}월 {moment.day}일"


def _listed(values: Iterable[int], word: Callable[[int], str] = str) -> str:
    """`1–3·22`: three and more in a row as a range."""
    return "·".join(run_words(values, word, "–"))


def _weekday(number: int) -> str:
    return WEEKDAYS[number % 7]


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)
