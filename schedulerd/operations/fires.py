"""When schedules fire: across everything, of one flow or schedule, or of an expression that nothing has yet."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.cautions import Caution, cautions
from schedulerd.domain.due import Due
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.fire_notes import fire_notes
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.names import near_names
from schedulerd.domain.schedules import (
    Cron,
    Interval,
    Once,
    Reboot,
    RRule,
    Schedule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.timing import Timing, check_definition
from schedulerd.domain.wording import Language, in_words
from schedulerd.domain.zones import zone
from schedulerd.errors import BadExpression, NotFound
from schedulerd.store.database import Database

_FAR_AHEAD: Final = timedelta(days=366 * 100)
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


class Fires:
    """What fires next. Nothing here looks at whether a daemon runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def next(
        self,
        name: str | None = None,
        *,
        limit: int,
        until: datetime | None = None,
        language: Language = "en",
    ) -> tuple[Fire, ...]:
        """The next fires, in order: of all schedules, or of the flow or schedule of this name. Raises `NotFound`.

        Schedules that are paused or not enabled are left out.
        """
        schedules, flows = in_force(self._database, name)
        return self._first(schedules, flows, limit=limit, until=until, language=language)

    def of_schedule(
        self, name: str, *, limit: int, until: datetime | None = None, language: Language = "en"
    ) -> tuple[Fire, ...]:
        """The next fires of the schedule of this name; none where it is paused or not enabled. Raises `NotFound`."""
        with self._database.read() as tx:
            schedule = tx.schedules.get(name)
            flows = {flow.key: flow.definition.name for flow in tx.flows.all()}
        return self._first([schedule], flows, limit=limit, until=until, language=language)

    def _first(
        self,
        schedules: Iterable[Schedule],
        flows: Mapping[FlowKey, str],
        *,
        limit: int,
        until: datetime | None,
        language: Language,
    ) -> tuple[Fire, ...]:
        now = self._clock.now()
        end = until or now + _FAR_AHEAD
        found = merge(
            *(
                _fires(one, flow=flows.get(one.flow_key), after=now, until=end, language=language)
                for one in schedules
                if one.definition.enabled and one.paused is None
            ),
            key=lambda fire: (fire.at, fire.schedule or ""),
        )
        return tuple(islice(found, limit))


def in_force(database: Database, name: str | None) -> tuple[list[Schedule], Mapping[FlowKey, str]]:
    """The schedules in force, all or those of the flow or schedule of this name, and the names of all flows.

    Raises `NotFound` with the names that come near.
    """
    with database.read() as tx:
        schedules = tx.schedules.all()
        flows = {flow.key: flow.definition.name for flow in tx.flows.all()}
    if name is None:
        return schedules, flows
    known = [*flows.values(), *(one.definition.name for one in schedules)]
    if name not in known:
        raise NotFound("flow or schedule", name, near=near_names(name, known))
    return [one for one in schedules if name in (one.definition.name, flows.get(one.flow_key))], flows


def explain(
    expression: str,
    *,
    timezone: str,
    name: str = "",
    after: datetime,
    limit: int,
    language: Language = "en",
) -> Explanation:
    """What the expression says. Raises `BadExpression` that marks the token at fault."""
    when = read_when(expression, timezone=timezone)
    definition = ScheduleDefinition(name=name, when=when)
    check_definition(definition)
    timing = Timing(definition=definition, first_seen=after)
    due = timing.each(after, after + _FAR_AHEAD)
    return Explanation(
        expression=expression,
        when=when,
        text=in_words(when, name=name, language=language),
        cautions=cautions(definition, first_seen=after, now=after, language=language),
        fires=tuple(
            islice((_fire(one, timing, schedule=None, flow=None, language=language) for one in due), limit)
        ),
    )


def read_when(expression: str, *, timezone: str) -> When:
    """An expression as people type it: a cron expression or `@reboot`, a duration for an interval, one local time, or
    a recurrence rule."""
    zone(timezone)
    text = expression.strip()
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


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadExpression(
            "this is no time such as 2026-12-01T09:00", expression=text, code="time"
        ) from error


def _fires(
    schedule: Schedule, *, flow: str | None, after: datetime, until: datetime, language: Language
) -> Iterator[Fire]:
    timing, name = Timing.of(schedule), schedule.definition.name
    if timing.is_black_out_of_sight(after):
        return iter(())  # a list that somebody waits for is no place to search all years
    return (
        _fire(due, timing, schedule=name, flow=flow, language=language) for due in timing.each(after, until)
    )


def _fire(due: Due, timing: Timing, *, schedule: str | None, flow: str | None, language: Language) -> Fire:
    timezone = timing.definition.when.timezone
    return Fire(
        at=due.at,
        local=due.at.astimezone(zone(timezone)),
        timezone=timezone,
        schedule=schedule,
        flow=flow,
        note="; ".join(fire_notes(due, timing, language)),
    )
