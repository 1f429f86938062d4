"""Each slot is decided exactly once: for every kind of schedule, policy and partition of the time, left in between or not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedulerd.domain.due import Due
from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.planning import Plan, leave, plan
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Catchup, Cron, Policies, Schedule, ScheduleDefinition
from schedulerd.domain.timing import Timing
from tests.builders import a_schedule
from tests.made_up import FIRST, blackouts, definitions

START: Final = datetime(2026, 6, 1, tzinfo=UTC)
SHOWN: Final = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

policies = st.builds(
    Policies,
    catchup=st.sampled_from(Catchup),
    catchup_limit=st.integers(0, 5),
    catchup_window=st.sampled_from([timedelta(0), timedelta(hours=2), timedelta(days=1)]),
    misfire_grace=st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(hours=1)]),
)


def in_force(definition: ScheduleDefinition, watermark: datetime) -> Schedule:
    return Schedule(
        key=ScheduleKey(1),
        flow_key=FlowKey(1),
        definition=definition,
        first_seen=FIRST,
        watermark=watermark,
        next_due=None,
    )


def due_times(definition: ScheduleDefinition, after: datetime, until: datetime) -> list[Due]:
    """All that a schedule has to decide about, what a blackout leaves out included."""
    times = Timing(definition=definition, first_seen=FIRST)
    return sorted([*times.each(after, until), *times.left_out.each(after, until)])


def said_of(planned: Plan, due: list[Due]) -> list[str]:
    """The slots that a plan decides; those of a span are all that lie in it."""
    decided = [*planned.starts, *(skip.due for skip in planned.skips)]
    for span in planned.spans:
        inside = [one for one in due if span.first <= one <= span.last]
        assert len(inside) == span.count
        decided += inside
    return [one.slot for one in decided]


@SHOWN
@given(
    made=definitions(),
    policy=policies,
    steps=st.lists(st.tuples(st.integers(-60, 200), st.integers(0, 4)), min_size=1, max_size=8),
)
def test_each_slot_is_decided_exactly_once_however_time_goes_on(
    made: tuple[ScheduleDefinition, datetime], policy: Policies, steps: list[tuple[int, int]]
) -> None:
    definition, start = replace(made[0], policies=policy), made[1]
    now, watermark = start, start
    decided: list[str] = []

    for minutes, how in steps:
        now += timedelta(minutes=minutes)
        schedule = in_force(definition, watermark)
        planned = leave(schedule, now=now, reason=SkipReason.PAUSED) if how == 0 else plan(schedule, now=now)
        assert planned.watermark >= watermark
        assert planned.starts == tuple(sorted(planned.starts))
        decided += said_of(planned, due_times(definition, watermark, planned.watermark))
        watermark = planned.watermark

    assert sorted(decided) == sorted(due.slot for due in due_times(definition, start, watermark))
    assert len(set(decided)) == len(decided)


@SHOWN
@given(made=definitions(), policy=policies, minutes=st.integers(0, 3_000))
def test_nothing_that_is_due_is_put_off_but_for_the_end_of_a_blackout(
    made: tuple[ScheduleDefinition, datetime], policy: Policies, minutes: int
) -> None:
    definition, start = replace(made[0], policies=policy), made[1]
    now = start + timedelta(minutes=minutes)
    times = Timing(definition=definition, first_seen=FIRST)

    planned = plan(in_force(definition, start), now=now)

    if planned.watermark != now and len(planned.starts) < 1_000:
        around = times.blackout(now)
        assert around is not None
        assert (planned.watermark, planned.next_due) == (start, around.end)
        assert said_of(planned, []) == []
    elif planned.next_due is not None:
        assert planned.next_due > planned.watermark
        assert times.first(planned.watermark, planned.next_due - timedelta(microseconds=1)) is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), policy=policies, hours=st.integers(20, 80))
def test_the_counts_of_spans_and_starts_add_up(data: st.DataObject, policy: Policies, hours: int) -> None:
    now = START + timedelta(hours=hours, seconds=7)
    definition = a_schedule(
        when=Cron(expression="* * * * *"),
        policies=policy,
        start=datetime(2026, 6, 1, 3) if data.draw(st.booleans()) else None,  # noqa: DTZ001 - the wall's clock
        jitter=data.draw(st.sampled_from([timedelta(), timedelta(minutes=7)])),
        blackout=data.draw(st.none() | blackouts(START, "UTC")),
    )

    planned = plan(in_force(definition, START), now=now)

    decided = len(planned.starts) + len(planned.skips) + sum(span.count for span in planned.spans)
    assert decided == len(due_times(definition, START, planned.watermark))
