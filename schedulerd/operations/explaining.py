"""What an expression says that no schedule has yet. Needs no database, and imports none."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from schedulerd.domain.cause_values import CAUSE_READERS, CAUSES
from schedulerd.domain.cautions import Caution, cautions
from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.due import Due
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.fire_notes import fire_notes
from schedulerd.domain.schedules import Cron, Interval, Once, Reboot, RRule, ScheduleDefinition, When
from schedulerd.domain.timing import Timing, check_definition
from schedulerd.domain.wording import Language, in_words
from schedulerd.domain.zones import zone
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

FAR_AHEAD: Final = timedelta(days=366 * 100)
"""How far ahead fires are looked for."""

_RULE: Final = re.compile(r"RRULE:|DTSTART[:;]|[A-Z]+=", re.IGNORECASE)
"""How a recurrence rule begins; so does nothing else."""

_DURATION: Final = re.compile(r"[0-9]+(ms|[wdhms])[0-9 ]")
"""How a duration of several words begins, and no field of a cron expression."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fire:
    """A due time to come. `local` is what the clock of `timezone` shows then; `note` says what is odd about it."""

    at: datetime
    local: datetime
    timezone: str
    schedule: str | None
    flow: str | None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What an expression says: in words, what may surprise, and its next fires."""

    expression: str
    when: When
    text: str
    cautions: tuple[Caution, ...]
    fires: tuple[Fire, ...]


def explain(
    expression: str,
    *,
    timezone: str,
    name: str = "",
    after: datetime,
    limit: int,
    language: Language = "en",
) -> Explanation:
    """What the expression says. Raises `BadExpression` that marks the token at fault, or for a moment `after` of a year
    in which nothing is ever due."""
    check_year(after)
    when = read_when(expression, timezone=timezone)
    definition = ScheduleDefinition(name=name, when=when)
    check_definition(definition)
    return explain_definition(definition, expression, after=after, limit=limit, language=language)


def explain_definition(
    definition: ScheduleDefinition, expression: str, *, after: datetime, limit: int, language: Language = "en"
) -> Explanation:
    """What a schedule says that was checked, with its start, end, jitter and blackouts; `expression` is how its time was
    written."""
    timing = Timing(definition=definition, first_seen=after)
    due = timing.each(after, after + FAR_AHEAD)
    return Explanation(
        expression=expression,
        when=definition.when,
        text=in_words(definition.when, name=definition.name, language=language),
        cautions=cautions(definition, first_seen=after, now=after, language=language),
        fires=tuple(
            islice((fire_of(one, timing, schedule=None, flow=None, language=language) for one in due), limit)
        ),
    )


def check_year(moment: datetime) -> None:
    """Raise `BadExpression` for a moment outside of the years that there are due times in."""
    if not FIRST_YEAR < moment.year < LAST_YEAR:  # a year less at each end, for what zones add
        reason = said(
            "the year {year} is not one of {first} to {last}",
            year=moment.year,
            first=FIRST_YEAR + 1,
            last=LAST_YEAR - 1,
        )
        raise BadExpression(reason, expression=moment.isoformat(), code="moment")


def read_when(expression: str, *, timezone: str) -> When:
    """An expression as people type it: a cron expression or `@reboot`, a duration for an interval, one local time, or
    a recurrence rule."""
    zone(timezone)
    text = expression.strip()
    if (caused := _caused(text, timezone)) is not None:
        return caused
    if text.lower() == "@reboot":
        return Reboot(timezone=timezone)
    if _RULE.match(text):
        return RRule(expression=expression, timezone=timezone)
    is_one_word = text[:1].isdigit() and " " not in text
    if is_one_word and "-" in text:
        return Once(at=_moment(text), timezone=timezone)
    if is_one_word or _DURATION.match(text):
        return Interval(every=parse_duration(expression), timezone=timezone)
    return Cron(expression=expression, timezone=timezone)


def _caused(text: str, timezone: str) -> When | None:
    """`after etl`, `after etl, load`, `file /inbox/*.csv`: a cause in place of a time."""
    kind, _, said = text.partition(" ")
    if kind not in CAUSES or not said.strip():
        return None
    flows = [one.strip() for one in said.split(",")]
    try:
        return CAUSE_READERS[kind](Entry({kind: flows if kind == "after" else said.strip()}), timezone)
    except BadEntry as error:
        raise BadExpression(error.reason, expression=text, code=kind) from error


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadExpression(
            said("this is no time such as 2026-12-01T09:00"), expression=text, code="time"
        ) from error


def fire_of(due: Due, timing: Timing, *, schedule: str | None, flow: str | None, language: Language) -> Fire:
    """A due time as a fire, with what is to be noted about it."""
    timezone = timing.definition.when.timezone
    return Fire(
        at=due.at,
        local=due.at.astimezone(zone(timezone)),
        timezone=timezone,
        schedule=schedule,
        flow=flow,
        note="; ".join(fire_notes(due, timing, language)),
    )
