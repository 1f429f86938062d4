"""When schedules fire: across everything, of one flow or schedule, or of an expression that nothing has yet."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.cautions import Caution, cautions
from schedulerd.domain.due import Due
from schedulerd.domain.durations import duration_text, parse_duration
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.intervals import is_calendar
from schedulerd.domain.names import near_names
from schedulerd.domain.schedules import Cron, Interval, Once, Schedule, ScheduleDefinition, When
from schedulerd.domain.timing import Timing, check_definition
from schedulerd.domain.wording import in_words
from schedulerd.domain.zones import fold_around, zone
from schedulerd.errors import BadExpression, NotFound
from schedulerd.store.database import Database

_FAR_AHEAD: Final = timedelta(days=366 * 100)


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

    def next(self, name: str | None = None, *, limit: int, until: datetime | None = None) -> tuple[Fire, ...]:
        """The next fires, in order: of all schedules, or of the flow or schedule of this name. Raises `NotFound`.

        Schedules that are paused or not enabled are left out.
        """
        schedules, flows = in_force(self._database, name)
        return self._first(schedules, flows, limit=limit, until=until)

    def of_schedule(self, name: str, *, limit: int, until: datetime | None = None) -> tuple[Fire, ...]:
        """The next fires of the schedule of this name; none where it is paused or not enabled. Raises `NotFound`."""
        with self._database.read() as tx:
            schedule = tx.schedules.get(name)
            flows = {flow.key: flow.definition.name for flow in tx.flows.all()}
        return self._first([schedule], flows, limit=limit, until=until)

    def _first(
        self,
        schedules: Iterable[Schedule],
        flows: Mapping[FlowKey, str],
        *,
        limit: int,
        until: datetime | None,
    ) -> tuple[Fire, ...]:
        now = self._clock.now()
        found = merge(
            *(
                _fires(one, flow=flows.get(one.flow_key), after=now, until=until or now + _FAR_AHEAD)
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


def explain(expression: str, *, timezone: str, name: str = "", after: datetime, limit: int) -> Explanation:
    """What the expression says. Raises `BadExpression` that marks the token at fault."""
    when = read_when(expression, timezone=timezone)
    definition = ScheduleDefinition(name=name, when=when)
    check_definition(definition)
    timing = Timing(definition=definition, first_seen=after)
    due = timing.each(after, after + _FAR_AHEAD)
    return Explanation(
        expression=expression,
        when=when,
        text=in_words(when, name=name),
        cautions=cautions(when, first_seen=after, name=name, now=after),
        fires=tuple(islice((_fire(one, timing, schedule=None, flow=None) for one in due), limit)),
    )


def read_when(expression: str, *, timezone: str) -> When:
    """An expression as people type it: a cron expression, a duration for an interval, or one local time."""
    zone(timezone)
    text = expression.strip()
    if " " not in text and text[:1].isdigit():
        if (at := _moment(text)) is not None:
            return Once(at=at, timezone=timezone)
        return Interval(every=parse_duration(text), timezone=timezone)
    return Cron(expression=expression, timezone=timezone)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if "-" in text else None
    except ValueError as error:
        raise BadExpression(
            "this is no time such as 2026-12-01T09:00", expression=text, code="time"
        ) from error


def _fires(schedule: Schedule, *, flow: str | None, after: datetime, until: datetime) -> Iterator[Fire]:
    timing = Timing.of(schedule)
    return (
        _fire(due, timing, schedule=schedule.definition.name, flow=flow) for due in timing.each(after, until)
    )


def _fire(due: Due, timing: Timing, *, schedule: str | None, flow: str | None) -> Fire:
    timezone = timing.definition.when.timezone
    return Fire(
        at=due.at,
        local=due.at.astimezone(zone(timezone)),
        timezone=timezone,
        schedule=schedule,
        flow=flow,
        note="; ".join(_notes(due, timing)),
    )


def _notes(due: Due, timing: Timing) -> Iterator[str]:
    """What the clocks, the jitter and a blackout do to this fire."""
    when = timing.definition.when
    meant = datetime.fromisoformat(due.slot)
    named_at, delay = timing.named_at(due), timing.delay(due)
    named = named_at.astimezone(zone(when.timezone))
    if not isinstance(when, Interval) or is_calendar(when):
        yield from _about_clocks(meant.replace(tzinfo=None), named)
    if due.at != named_at + delay:
        yield f"blackout: {_time(meant, on=due.at.astimezone(meant.tzinfo))}, run after it"
    elif delay:
        yield f"jitter: {duration_text(delay)} after {_time(named, on=named)}"


def _about_clocks(meant: datetime, shown: datetime) -> Iterator[str]:
    if meant != shown.replace(tzinfo=None):
        yield f"dst-gap: {meant:%H:%M} does not exist on this day"
    elif fold_around(shown.replace(fold=0)) is not None:
        yield f"dst-fold: {meant:%H:%M} happens twice; this is the {'second' if shown.fold else 'first'} time"


def _time(moment: datetime, *, on: datetime) -> str:
    """The time of day, with its seconds where there are any, and with its day where that is another one."""
    day = "" if moment.date() == on.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M:%S}" if moment.second else f"{day}{moment:%H:%M}"
