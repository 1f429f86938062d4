"""When schedules fire: across everything, of one flow or schedule, or of an expression that nothing has yet."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.cautions import Caution, cautions
from schedulerd.domain.due import Due, check_when, dues
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.names import near_names
from schedulerd.domain.schedules import Cron, Interval, Once, Schedule, When
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

        Schedules that are not enabled are left out.
        """
        schedules, flows = in_force(self._database, name)
        return self._first(schedules, flows, limit=limit, until=until)

    def of_schedule(self, name: str, *, limit: int, until: datetime | None = None) -> tuple[Fire, ...]:
        """The next fires of the schedule of this name; none where it is not enabled. Raises `NotFound`."""
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
                if one.definition.enabled
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
    check_when(when, name=name)
    due = dues(when, after=after, until=after + _FAR_AHEAD, first_seen=after, name=name)
    return Explanation(
        expression=expression,
        when=when,
        text=in_words(when, name=name),
        cautions=cautions(when, first_seen=after, name=name, now=after),
        fires=tuple(islice((_fire(one, when, schedule=None, flow=None) for one in due), limit)),
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
    definition = schedule.definition
    due = dues(
        definition.when, after=after, until=until, first_seen=schedule.first_seen, name=definition.name
    )
    return (_fire(one, definition.when, schedule=definition.name, flow=flow) for one in due)


def _fire(due: Due, when: When, *, schedule: str | None, flow: str | None) -> Fire:
    local = due.at.astimezone(zone(when.timezone))
    return Fire(
        at=due.at,
        local=local,
        timezone=when.timezone,
        schedule=schedule,
        flow=flow,
        note=_note(due, local) if not isinstance(when, Interval) or when.every >= timedelta(days=1) else "",
    )


def _note(due: Due, local: datetime) -> str:
    """What the clocks do to this fire."""
    meant = datetime.fromisoformat(due.slot).replace(tzinfo=None)
    if meant != local.replace(tzinfo=None):
        return f"dst-gap: {meant:%H:%M} does not exist on this day"
    if fold_around(local.replace(fold=0)) is not None:
        return (
            f"dst-fold: {meant:%H:%M} happens twice; this is the {'second' if local.fold else 'first'} time"
        )
    return ""
