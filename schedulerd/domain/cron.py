"""Cron expressions: checked by us, token by token, and then expanded by croniter. The only door to it.

croniter is lenient where a crontab's author would rather be told (`22-2`, `*/100`), and reads `4-4` as the whole
field; so it is only ever given tokens that `cron_tokens` has checked and respelled.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from schedulerd.domain.cron_tokens import (
    DAY,
    FIELDS,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    YEAR,
    Field,
    Token,
    respelled,
)
from schedulerd.domain.schedules import DayMatch
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

LONGEST_EXPRESSION: Final = 200
LAST: Final = -1
"""The n of the last such weekday of a month, in `CronFields.nth_weekdays`."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
"""No due time lies after this year; an expression without one between the two can never fire."""

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ORDERS: Final[dict[int, tuple[Field, ...]]] = {
    5: (MINUTE, HOUR, DAY, MONTH, WEEKDAY),
    6: (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY),
    7: (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR),
}
_FEWEST_FIELDS: Final = min(_ORDERS)
_WORD: Final = re.compile(r"[^ \t\r\n\f\v]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class CronFields:
    """What an expression means: the values of each field, ascending. `years` None: every year.

    `nearest_weekday` is the day of a `15W`; `nth_weekdays` are pairs of weekday (0 is Sunday) and n of `5#2` and
    `L5`. `is_fixed`: neither seconds, minute nor hour begins with `*`, so that a time is meant and not a rhythm.
    `tokens` are the fields as written, by name.
    """

    expression: str
    tokens: tuple[tuple[str, str], ...]
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    last_day: bool
    nearest_weekday: int | None
    months: tuple[int, ...]
    weekdays: frozenset[int]
    nth_weekdays: frozenset[tuple[int, int]]
    years: tuple[int, ...] | None
    day_match: DayMatch
    is_fixed: bool
    month_shapes: tuple[tuple[int, ...], ...]

    def token(self, field: Field) -> str:
        """The field as written; `0` for seconds and `*` for years that are not."""
        return dict(self.tokens).get(field.name, "0" if field is SECOND else "*")

    def days_of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of this month (whether or not `months` has it) on which the expression fires, ascending."""
        return self.month_shapes[_shape_number(year, month)]


def parse_cron(expression: str, *, name: str = "", day_match: DayMatch | None = None) -> CronFields:
    """What the expression means, or `BadExpression` with the place of the token and what would be allowed there.

    `name` is what `H` is hashed by. `day_match` None: either day field is enough where both are restricted, and a
    field that begins with `*` does not restrict.
    """
    return _parsed(expression, name if "h" in expression.lower() else "", day_match)


@lru_cache(maxsize=2_048)
def _parsed(expression: str, name: str, day_match: DayMatch | None) -> CronFields:
    """Once for all schedules of the same expression: it costs some ten times what the next due time costs."""
    words = _words(expression)
    tokens = tuple(
        Token(field=field, text=word, start=start, expression=expression)
        for field, (word, start) in zip(_ORDERS[len(words)], words, strict=True)
    )
    _check_days(tokens)
    fields = _fields(expression, tokens, name=name, day_match=day_match)
    _check_fires(fields, tokens)
    return fields


def _words(expression: str) -> list[tuple[str, int]]:
    """The fields with their places; an alias stands for five of them, all at its own place."""
    if len(expression) > LONGEST_EXPRESSION:
        reason = said(
            "an expression has at most {longest_expression} characters, this one {count}",
            longest_expression=LONGEST_EXPRESSION,
            count=len(expression),
        )
        raise BadExpression(reason, expression=expression, start=LONGEST_EXPRESSION, code="length")
    words = [(found.group(), found.start()) for found in _WORD.finditer(expression)]
    if len(words) == 1 and words[0][0].startswith("@"):
        return _alias(expression, *words[0])
    if len(words) not in _ORDERS:
        reason = said(
            "{fields}; a cron expression has 5 (minute hour day month weekday), 6 (seconds first) or 7 (seconds first, year last)",
            fields=said("1 field") if len(words) == 1 else said("{count} fields", count=len(words)),
        )
        extra = words[7][1] if len(words) > 7 else 0
        raise BadExpression(reason, expression=expression, start=extra, code="fields")
    return words


def _alias(expression: str, word: str, start: int) -> list[tuple[str, int]]:
    if (meaning := ALIASES.get(word.lower())) is None:
        reason = said("{word} is not known; there are {listed}", word=word, listed=", ".join(ALIASES))
        raise BadExpression(reason, expression=expression, start=start, end=start + len(word), code="alias")
    return [(text, start) for text in meaning.split()]


def _check_days(tokens: Sequence[Token]) -> None:
    """Refuse days that are counted within the month together with other days: their meaning would be a guess."""
    by_field = {token.field: token for token in tokens}
    day, weekday = by_field[DAY], by_field[WEEKDAY]
    if weekday.counts_in_month and not day.is_every:
        raise weekday.refuse(
            said("# and L cannot be combined with a day of the month; write * there"), code="days"
        )
    if day.counts_in_month and not weekday.is_every:
        raise day.refuse(said("W cannot be combined with a weekday; write * there"), code="days")


def _fields(expression: str, tokens: Sequence[Token], *, name: str, day_match: DayMatch | None) -> CronFields:
    by_field = {token.field: token for token in tokens}
    spelled = {token.field: respelled(token) for token in tokens}
    read = {
        field: _read(field, text, name if text.startswith("h") else "") for field, text in spelled.items()
    }
    day, weekday = by_field[DAY], by_field[WEEKDAY]
    nearest = int(spelled[DAY].strip("w")) if day.counts_in_month else None
    match = _day_match(day, weekday, day_match)
    rule = _DayRule(
        days=read[DAY].among,
        last_day=read[DAY].has_last,
        nearest=nearest,
        weekdays=read[WEEKDAY].among,
        nth=read[WEEKDAY].counted,
        both=match is DayMatch.BOTH,
    )
    rhythm = (by_field[field] for field in (SECOND, MINUTE, HOUR) if field in by_field)
    return CronFields(
        expression=expression,
        tokens=tuple((token.field.name, token.text) for token in tokens),
        seconds=read[SECOND].values if SECOND in read else (0,),
        minutes=read[MINUTE].values,
        hours=read[HOUR].values,
        days=rule.days,
        last_day=rule.last_day,
        nearest_weekday=nearest,
        months=read[MONTH].values,
        weekdays=rule.weekdays,
        nth_weekdays=rule.nth,
        years=None if YEAR not in read or read[YEAR].is_every else read[YEAR].values,
        day_match=match,
        is_fixed=not any(token.begins_with_star for token in rhythm),
        month_shapes=_month_shapes(rule),
    )


def _day_match(day: Token, weekday: Token, asked: DayMatch | None) -> DayMatch:
    """Is one of the day fields enough? What is asked for counts where both are restricted in any sense."""
    if day.is_every or weekday.is_every:
        return DayMatch.BOTH
    if asked is not None:
        return asked
    return DayMatch.BOTH if day.begins_with_star or weekday.begins_with_star else DayMatch.EITHER


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """One field's `values`, ascending, and `among` which a value is then; of days, whether the last is; of weekdays, those that
    are counted within the month."""

    values: tuple[int, ...]
    among: frozenset[int]
    is_every: bool
    has_last: bool
    counted: frozenset[tuple[int, int]]


@lru_cache(maxsize=1_024)
def _read(field: Field, spelled: str, name: str) -> _Read:
    """What croniter makes of the field, beside others that say nothing: many expressions are made of few such fields.

    They are in croniter's own order, so that its switch `second_at_beginning` is not needed.
    """
    from croniter import CroniterError, croniter  # late: it costs 60 ms, and most commands need no expression

    place = FIELDS.index(field)
    fields = ["*"] * max(place + 1, _FEWEST_FIELDS)
    fields[place] = spelled
    try:
        sets, counted = croniter.expand(" ".join(fields), hash_id=name.encode())
    except CroniterError as error:  # pragma: no cover - cron_tokens is the stricter one
        raise BadExpression(str(error), expression=spelled) from error
    found, is_every = sets[place], "*" in sets[place]
    every = range(field.low, field.high + 1)
    values = tuple(every if is_every else sorted(value for value in found if isinstance(value, int)))
    return _Read(
        values=values,
        among=frozenset(values),
        is_every=is_every,
        has_last="l" in found,
        counted=frozenset(
            (int(weekday), LAST if str(n) == "l" else int(n))
            for weekday, numbers in counted.items()
            for n in numbers
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _DayRule:
    """Which days of a month fire, given its shape alone."""

    days: frozenset[int]
    last_day: bool
    nearest: int | None
    weekdays: frozenset[int]
    nth: frozenset[tuple[int, int]]
    both: bool

    def days_of(self, first: int, length: int) -> tuple[int, ...]:
        by_day, by_weekday = self._by_day(first, length), self._by_weekday(first, length)
        return tuple(sorted(by_day & by_weekday if self.both else by_day | by_weekday))

    def _by_day(self, first: int, length: int) -> set[int]:
        if self.nearest is not None:
            return {_nearest_weekday(self.nearest, first, length)}
        found = {day for day in self.days if day <= length}
        return found | {length} if self.last_day else found

    def _by_weekday(self, first: int, length: int) -> set[int]:
        if not self.nth:
            return {day for weekday in self.weekdays for day in _all_of(weekday, first, length)}
        counted = ((_all_of(weekday, first, length), n) for weekday, n in self.nth)
        return {days[-1] if n == LAST else days[n - 1] for days, n in counted if n <= len(days)}


@lru_cache(maxsize=256)
def _month_shapes(rule: _DayRule) -> tuple[tuple[int, ...], ...]:
    """The days of each shape of a month; most expressions share theirs with many others."""
    return tuple(rule.days_of(first, length) for first in range(7) for length in range(28, 32))


def _all_of(weekday: int, first: int, length: int) -> range:
    """The days of the month that are this weekday."""
    return range((weekday - first) % 7 + 1, length + 1, 7)


def _nearest_weekday(day: int, first: int, length: int) -> int:
    """The day from Monday to Friday nearest to `day` (or to the month's last) within the month."""
    day = min(day, length)
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


@lru_cache(maxsize=12 * (LAST_YEAR - FIRST_YEAR + 1))
def _shape_number(year: int, month: int) -> int:
    """Which of the 28 shapes a month has: the weekday on which it begins, and its number of days."""
    first, length = calendar.monthrange(year, month)
    return (first + 1) % 7 * 4 + length - 28


def _check_fires(fields: CronFields, tokens: Sequence[Token]) -> None:
    years = fields.years or range(FIRST_YEAR, LAST_YEAR + 1)
    if not any(fields.days_of(year, month) for year in years for month in fields.months):
        about = [
            token for token in tokens if token.field in (DAY, MONTH, WEEKDAY, YEAR) and not token.is_every
        ]
        raise BadExpression(
            said(
                "this can never fire: no month that it names has such a day (L is the last day of every month)"
            ),
            expression=fields.expression,
            start=about[0].start,
            end=about[-1].start + len(about[-1].text),
            code="never",
        )
