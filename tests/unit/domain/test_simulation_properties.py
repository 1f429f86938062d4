"""What holds for all simulations: each due time is decided once, when it comes or when the daemon is there again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutWindow,
    Catchup,
    Cron,
    Interval,
    Once,
    Overlap,
    Schedule,
)
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import TICK
from tests.unit.domain.test_simulation import HOURLY, NOTHING, START, a_schedule, seen

SHOWN = settings(max_examples=100)
A_DAY_AND_A_HALF = 36 * 60

whens = st.sampled_from(
    [
        HOURLY,
        Cron(expression="*/7 * * * *", timezone="Europe/Berlin"),
        Cron(expression="30 2 * * *", timezone="Europe/Berlin"),
        Cron(expression="48,33 2 * * *", timezone="Europe/Berlin"),
        Interval(every=timedelta(minutes=45)),
        Interval(every=timedelta(days=1), timezone="Europe/Berlin"),
        Once(at=datetime.fromisoformat("2026-03-29T02:30"), timezone="Europe/Berlin"),
    ]
)
policies = st.fixed_dictionaries(
    {
        "catchup": st.sampled_from(list(Catchup)),
        "overlap": st.sampled_from(list(Overlap)),
        "catchup_limit": st.integers(1, 5),
        "catchup_window": st.sampled_from([timedelta(hours=1), timedelta(days=1)]),
        "misfire_grace": st.sampled_from([NOTHING, timedelta(minutes=1), timedelta(hours=2)]),
    }
)
blackouts = st.one_of(
    st.none(),
    st.builds(
        Blackout,
        windows=st.just((BlackoutWindow(expression="0 */5 * * *", duration=timedelta(hours=2)),)),
        action=st.sampled_from(list(BlackoutAction)),
    ),
)
jitters = st.sampled_from([NOTHING, NOTHING, timedelta(minutes=4)])
schedules = st.builds(
    lambda when, jitter, blackout, policies: a_schedule(when, jitter=jitter, blackout=blackout, **policies),
    whens,
    jitters,
    blackouts,
    policies,
)
days = st.sampled_from([datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC), START])
minutes = st.integers(0, A_DAY_AND_A_HALF)


OVERLAPS = {SkipReason.OVERLAP, SkipReason.QUEUE_FULL, SkipReason.REPLACED}


@SHOWN
@given(schedule=schedules, start=days, length=minutes)
def test_without_downtime_every_due_time_is_decided_when_it_comes(
    schedule: Schedule, start: datetime, length: int
) -> None:
    end = start + timedelta(minutes=length)

    found = seen(schedule, start=start, until=end)

    told_of = {one.due: one for one in found}
    assert len(told_of) == len(found)
    assert {one.due for one in found if one.reason is SkipReason.BLACKOUT} == set(
        Timing.of(schedule).left_out.each(start - TICK, end - TICK)
    )
    on_time = list(Timing.of(schedule).each(start - TICK, end - TICK))
    assert [one.due for one in found if one.reason is not SkipReason.BLACKOUT] == on_time
    assert all(told_of[due].at == due.at for due in on_time)
    assert {told_of[due].reason for due in on_time} <= {None, *OVERLAPS}


@SHOWN
@given(schedule=schedules, start=days, length=minutes, down=st.lists(st.tuples(minutes, minutes), max_size=4))
def test_whatever_the_downtimes_each_due_time_is_decided_once_and_never_before_it_comes(
    schedule: Schedule, start: datetime, length: int, down: list[tuple[int, int]]
) -> None:
    end = start + timedelta(minutes=2 * A_DAY_AND_A_HALF + 1)
    away = [
        (start + timedelta(minutes=began), start + timedelta(minutes=began + lasted))
        for began, lasted in down
    ]

    found = seen(schedule, start=start, until=end, down=away)

    times = Timing.of(schedule)
    both = [one.count(start - TICK, end - TICK) for one in (times, times.left_out)]
    assert sum(one.count for one in found) == sum(both)
    assert len({one.due.slot for one in found}) == len(found)
    assert all(one.at >= one.due.at for one in found)
    assert all(one.at <= other.at for one, other in pairwise(found))
    assert not any(began <= one.at < over for one in found for began, over in away)


@SHOWN
@given(schedule=schedules, start=days, first=minutes, second=minutes)
def test_a_stretch_is_what_its_parts_are(
    schedule: Schedule, start: datetime, first: int, second: int
) -> None:
    middle = start + timedelta(minutes=first)
    end = middle + timedelta(minutes=second)

    parts = [*seen(schedule, start=start, until=middle), *seen(schedule, start=middle, until=end)]
    whole = seen(schedule, start=start, until=end)

    assert sorted((one.due, one.reason or "") for one in parts) == sorted(
        (one.due, one.reason or "") for one in whole
    )
