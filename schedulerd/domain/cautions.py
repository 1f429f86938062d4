"""What an author of a schedule should know about it: days, steps, an end, and where the clocks change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from schedulerd.domain.caution_texts import Told, each_time, field_name, told
from schedulerd.domain.cron import FIRST_YEAR, CronFields, parse_cron
from schedulerd.domain.cron_tokens import DAY, FIELDS, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, YEAR, Field
from schedulerd.domain.due import Due
from schedulerd.domain.intervals import is_calendar
from schedulerd.domain.nominal import count_between
from schedulerd.domain.rrule_text import Frequency, parse_rrule
from schedulerd.domain.schedules import (
    Caused,
    Cron,
    DayMatch,
    Interval,
    Reboot,
    RRule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.timing import Timing
from schedulerd.domain.wording import Language
from schedulerd.domain.wording_parts import names_month_days, plain_rule
from schedulerd.domain.zones import TICK, Change, changes, zone

LOOK_AHEAD: Final = timedelta(days=731)
"""How far ahead changes of the clocks are looked at."""

_MOST_NAMED: Final = 4
_A_MINUTE: Final = timedelta(minutes=1)
_BEGINNING: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


class CautionCode(StrEnum):
    """What kind of surprise it is."""

    EITHER_DAY = "either-day"
    UNEVEN_STEP = "uneven-step"
    SHORT_MONTH = "short-month"
    EVERY_MINUTE = "every-minute"
    NEVER = "never"
    DST_GAP = "dst-gap"
    DST_FOLD = "dst-fold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caution:
    """Something that a schedule does and that its author may not expect."""

    code: CautionCode
    text: str


def cautions(
    definition: ScheduleDefinition, *, first_seen: datetime, now: datetime, language: Language = "en"
) -> tuple[Caution, ...]:
    """What may surprise: of the expression itself, whether it ever fires, and of the next changes of the clocks."""
    looking = _Looking(definition=definition, first_seen=first_seen, now=now, language=language)
    return tuple(looking.cautions())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looking:
    """A look at a schedule."""

    definition: ScheduleDefinition
    first_seen: datetime
    now: datetime
    language: Language

    def cautions(self) -> Iterator[Caution]:
        when = self.definition.when
        match when:
            case Cron():
                fields = parse_cron(when.expression, name=self.definition.name, day_match=when.day_match)
                yield from self._about_days(fields)
                yield from self._about_steps(fields)
                yield from self._about_minutes(fields)
            case RRule():
                yield from self._about_rule(when)
            case Interval() if when.every == _A_MINUTE:
                yield self._caution(CautionCode.EVERY_MINUTE, Told.EVERY_MINUTE)
        yield from self._about_never()
        if not _is_rhythm(when):
            yield from self._about_clocks()

    def _caution(self, code: CautionCode, which: Told, **values: object) -> Caution:
        return Caution(code=code, text=told(which, self.language, **values))

    def _about_days(self, fields: CronFields) -> Iterator[Caution]:
        day, weekday = fields.token(DAY), fields.token(WEEKDAY)
        is_either = fields.day_match is DayMatch.EITHER
        if names_month_days(fields) and weekday not in ("*", "?"):
            which = Told.EITHER_DAY if is_either else Told.BOTH_DAYS
            yield self._caution(CautionCode.EITHER_DAY, which, day=day, weekday=weekday)
            if is_either:
                return
        if names_month_days(fields) and not fields.last_day and fields.nearest_weekday is None:
            first = min(fields.days)
            if _is_in_each(first, fields.months):
                return
            yield self._caution(CautionCode.SHORT_MONTH, Told.SHORT_MONTH, day=first)

    def _about_rule(self, when: RRule) -> Iterator[Caution]:
        rule = plain_rule(when)
        if rule is None:
            return
        text, days = rule.text, rule.month_days
        if days and not rule.last_day and not _is_in_each(min(days), text.months or range(1, 13)):
            yield self._caution(CautionCode.SHORT_MONTH, Told.SHORT_MONTH_OF_RULE, day=min(days))
        if text.frequency is Frequency.MINUTELY and text.interval == 1:
            yield self._caution(CautionCode.EVERY_MINUTE, Told.EVERY_MINUTE)

    def _about_steps(self, fields: CronFields) -> Iterator[Caution]:
        for field in FIELDS:
            for step in _steps(fields.token(field)):
                if field is not YEAR and _is_uneven(field, step):
                    yield self._caution(
                        CautionCode.UNEVEN_STEP,
                        Told.UNEVEN_STEP,
                        step=step,
                        field=field_name(field.name, self.language),
                        larger=each_time(_LARGER[field.name], self.language),
                    )

    def _about_minutes(self, fields: CronFields) -> Iterator[Caution]:
        if len(fields.minutes) < MINUTE.size or len(fields.seconds) > 1:
            return
        if len(fields.hours) == HOUR.size:
            yield self._caution(CautionCode.EVERY_MINUTE, Told.EVERY_MINUTE)
        else:
            hours = fields.token(HOUR)
            yield self._caution(CautionCode.EVERY_MINUTE, Told.EVERY_MINUTE_OF_HOURS, hours=hours)

    def _about_never(self) -> Iterator[Caution]:
        """Its end, its years or its one time may lie in the past."""
        if isinstance(self.definition.when, Reboot | Caused) or self._timing.next(self.now) is not None:
            return
        last = self._timing.last(_BEGINNING, self.now)
        if last is None:
            yield self._caution(CautionCode.NEVER, Told.NEVER)
        else:
            local = last.at.astimezone(zone(self.definition.when.timezone))
            yield self._caution(CautionCode.NEVER, Told.NEVER_AGAIN, last=f"{local:%Y-%m-%d %H:%M}")

    def _about_clocks(self) -> Iterator[Caution]:
        """The first gap and the first fold ahead that the schedule meets."""
        local = zone(self.definition.when.timezone)
        met: set[CautionCode] = set()
        for change in changes(local, start=self.now, end=self.now + LOOK_AHEAD):
            code = CautionCode.DST_GAP if change.is_gap else CautionCode.DST_FOLD
            if code not in met and (found := self._about_change(code, change, local)) is not None:
                met.add(code)
                yield found

    def _about_change(self, code: CautionCode, change: Change, local: ZoneInfo) -> Caution | None:
        low, high = change.edges(local)
        clocks = {"zone": local.key, "day": f"{low:%Y-%m-%d}", "low": f"{low:%H:%M}", "high": f"{high:%H:%M}"}
        if (fields := self._rhythm) is not None:
            if len(fields.hours) == HOUR.size or not count_between(fields, low, high):
                return None  # it fires all day, or not then
            which = Told.GAP_OF_RHYTHM if change.is_gap else Told.FOLD_OF_RHYTHM
            return self._caution(code, which, **clocks)
        inside = self._times_inside(change, local)
        if not inside:
            return None
        times = ", ".join(inside[:_MOST_NAMED]) + (", ..." if len(inside) > _MOST_NAMED else "")
        fires = "fires" if len(inside) == 1 else "fire"
        return self._caution(
            code, Told.GAP if change.is_gap else Told.FOLD, times=times, fires=fires, **clocks
        )

    def _times_inside(self, change: Change, local: ZoneInfo) -> list[str]:
        """The fixed times that the change leaves out or repeats."""
        low, high = (edge.replace(tzinfo=None) for edge in change.edges(local))
        meant = (datetime.fromisoformat(due.slot).replace(tzinfo=None) for due in self._around(change))
        return list(islice((f"{each:%H:%M}" for each in meant if low <= each < high), _MOST_NAMED + 1))

    def _around(self, change: Change) -> Iterator[Due]:
        """The due times of the change itself, or of what it repeats: as they are named, whatever delays them."""
        since = timedelta() if change.is_gap else change.length
        named = Timing(
            definition=replace(self.definition, jitter=timedelta(), blackout=None), first_seen=self.first_seen
        )
        return named.each(change.at - since - TICK, change.at)

    @property
    def _timing(self) -> Timing:
        return Timing(definition=self.definition, first_seen=self.first_seen)

    @property
    def _rhythm(self) -> CronFields | None:
        """The fields of an expression that follows the clock on the wall."""
        when = self.definition.when
        if not isinstance(when, Cron):
            return None
        fields = parse_cron(when.expression, name=self.definition.name, day_match=when.day_match)
        return None if fields.is_fixed else fields


def _is_rhythm(when: When) -> bool:
    """Does it go on whatever the clocks do, all day long? (Of a cron expression it depends on the hours.)"""
    match when:
        case Interval():
            return not is_calendar(when)
        case RRule():
            return not parse_rrule(when.expression, timezone=when.timezone).is_fixed
        case _:
            return False


def _is_in_each(day: int, months: Sequence[int]) -> bool:
    """Has each of the months this day, in every year?"""
    return all(day <= (28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31) for month in months)


_LARGER: Final = {
    SECOND.name: "minute",
    MINUTE.name: "hour",
    HOUR.name: "day",
    DAY.name: "month",
    MONTH.name: "year",
    WEEKDAY.name: "week",
}


def _steps(token: str) -> list[int]:
    """The steps of a token that go through the whole field."""
    return [int(item[2:]) for item in token.split(",") if item.startswith("*/") and item[2:].isdecimal()]


def _is_uneven(field: Field, step: int) -> bool:
    return step > 1 and (field is DAY or field.size % step != 0)
