"""What becomes of due times: on time, caught up, or skipped with its reason; each exactly once."""

from datetime import UTC, datetime, timedelta

import pytest

from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.planning import MOST_SKIPS, MOST_STARTS, Plan, look_forward, plan
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import (
    Catchup,
    Cron,
    Interval,
    Once,
    Policies,
    Schedule,
    ScheduleDefinition,
    When,
)
from tests.work import counted

START = datetime(2026, 6, 1, tzinfo=UTC)
HOURLY = Cron(expression="0 * * * *")
EVERY_MINUTE = Cron(expression="* * * * *")
EVERY_SECOND = Cron(expression="* * * * * *")
LITTLE_WORK_CALLS = 100_000


def a_definition(when: When, *, enabled: bool = True, policies: Policies | None = None) -> ScheduleDefinition:
    return ScheduleDefinition(
        name="etl", when=when, flow="ETL", enabled=enabled, policies=policies or Policies()
    )


def a_schedule(
    when: When,
    *,
    watermark: datetime = START,
    enabled: bool = True,
    policies: Policies | None = None,
    last_due: datetime | None = None,
) -> Schedule:
    return Schedule(
        key=ScheduleKey(1),
        flow_key=FlowKey(1),
        definition=a_definition(when, enabled=enabled, policies=policies),
        first_seen=START,
        watermark=watermark,
        next_due=None,
        last_due=last_due,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}+00:00")


def starts(planned: Plan) -> list[datetime]:
    return [due.at for due in planned.starts]


def skips(planned: Plan, reason: SkipReason) -> list[datetime]:
    return [skip.due.at for skip in planned.skips if skip.reason is reason]


def test_a_due_time_that_has_come_starts() -> None:
    planned = plan(a_schedule(HOURLY), now=at("01T01:00:00"))

    assert starts(planned) == [at("01T01:00:00")]
    assert planned.caught_up == 0
    assert planned.skips == ()
    assert planned.spans == ()
    assert planned.watermark == at("01T01:00:00")
    assert planned.next_due == at("01T02:00:00")
    assert planned.last_due == at("01T01:00:00")


def test_before_its_time_nothing_is_planned() -> None:
    planned = plan(a_schedule(HOURLY, last_due=START), now=at("01T00:59:59"))

    assert planned == Plan(watermark=at("01T00:59:59"), next_due=at("01T01:00:00"), last_due=START)


def test_several_due_times_within_the_grace_are_each_a_run() -> None:
    schedule = a_schedule(Interval(every=timedelta(seconds=20)))

    planned = plan(schedule, now=at("01T00:01:00"))

    assert starts(planned) == [at("01T00:00:20"), at("01T00:00:40"), at("01T00:01:00")]
    assert planned.skips == ()


def test_as_late_as_the_grace_is_on_time_and_a_moment_later_is_missed() -> None:
    schedule = a_schedule(HOURLY, policies=Policies(catchup=Catchup.NONE))

    on_time = plan(schedule, now=at("01T01:01:00"))
    late = plan(schedule, now=at("01T01:01:00.000001"))

    assert starts(on_time) == [at("01T01:00:00")]
    assert starts(late) == []
    assert skips(late, SkipReason.MISFIRE) == [at("01T01:00:00")]


def test_the_newest_missed_time_is_caught_up_and_the_rest_is_coalesced() -> None:
    planned = plan(a_schedule(HOURLY), now=at("01T04:30:00"))

    assert starts(planned) == [at("01T04:00:00")]
    assert skips(planned, SkipReason.COALESCED) == [at("01T01:00:00"), at("01T02:00:00"), at("01T03:00:00")]
    assert planned.last_due == at("01T04:00:00")


def test_what_is_on_time_starts_beside_what_is_caught_up() -> None:
    planned = plan(a_schedule(HOURLY), now=at("01T04:00:30"))

    assert starts(planned) == [at("01T03:00:00"), at("01T04:00:00")]
    assert planned.caught_up == 1
    assert len(planned.skips) == 2


def test_missed_times_outside_the_window_are_not_caught_up() -> None:
    policies = Policies(catchup_window=timedelta(hours=2))

    planned = plan(a_schedule(HOURLY, policies=policies), now=at("01T04:30:00"))

    assert starts(planned) == [at("01T04:00:00")]
    assert skips(planned, SkipReason.WINDOW) == [at("01T01:00:00"), at("01T02:00:00")]
    assert skips(planned, SkipReason.COALESCED) == [at("01T03:00:00")]


def test_a_missed_time_as_old_as_the_window_is_caught_up() -> None:
    policies = Policies(catchup_window=timedelta(hours=2))

    assert starts(plan(a_schedule(HOURLY, policies=policies), now=at("01T03:00:30")))[0] == at("01T02:00:00")
    newest = a_schedule(Cron(expression="0 1 * * *"), policies=policies)
    assert starts(plan(newest, now=at("01T03:00:00"))) == [at("01T01:00:00")]
    assert starts(plan(newest, now=at("01T03:00:00.000001"))) == []


def test_a_window_shorter_than_the_grace_catches_nothing_up() -> None:
    policies = Policies(catchup_window=timedelta(seconds=1), misfire_grace=timedelta(minutes=1))

    planned = plan(a_schedule(HOURLY, policies=policies), now=at("01T02:30:00"))

    assert starts(planned) == []
    assert skips(planned, SkipReason.WINDOW) == [at("01T01:00:00"), at("01T02:00:00")]


def test_all_missed_times_are_caught_up_oldest_first() -> None:
    policies = Policies(catchup=Catchup.ALL)

    planned = plan(a_schedule(HOURLY, policies=policies), now=at("01T04:30:00"))

    assert starts(planned) == [at(f"01T0{hour}:00:00") for hour in (1, 2, 3, 4)]
    assert planned.caught_up == 4
    assert planned.skips == ()


def test_no_more_than_the_limit_are_caught_up() -> None:
    policies = Policies(catchup=Catchup.ALL, catchup_limit=2)

    planned = plan(a_schedule(HOURLY, policies=policies), now=at("01T04:30:00"))

    assert starts(planned) == [at("01T01:00:00"), at("01T02:00:00")]
    assert skips(planned, SkipReason.LIMIT) == [at("01T03:00:00"), at("01T04:00:00")]


def test_without_catching_up_every_missed_time_is_a_misfire() -> None:
    policies = Policies(catchup=Catchup.NONE, catchup_window=timedelta(hours=1))

    planned = plan(a_schedule(HOURLY, policies=policies), now=at("01T03:30:00"))

    assert starts(planned) == []
    assert skips(planned, SkipReason.MISFIRE) == [at(f"01T0{hour}:00:00") for hour in (1, 2, 3)]
    assert planned.last_due == at("01T03:00:00")


def test_a_schedule_that_is_not_enabled_plans_nothing() -> None:
    planned = plan(a_schedule(HOURLY, enabled=False, last_due=START), now=at("02T00:00:00"))

    assert planned == Plan(watermark=START, next_due=None, last_due=START)


def test_a_clock_that_went_back_repeats_nothing() -> None:
    schedule = a_schedule(HOURLY, watermark=at("01T05:00:00"), last_due=at("01T05:00:00"))

    planned = plan(schedule, now=at("01T02:30:00"))

    assert planned == Plan(
        watermark=at("01T05:00:00"), next_due=at("01T06:00:00"), last_due=at("01T05:00:00")
    )


def test_two_nominal_times_of_a_gap_come_together() -> None:
    after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    schedule = a_schedule(Cron(expression="33,48 2 * * *", timezone="Europe/Berlin"), watermark=after)

    planned = plan(schedule, now=datetime(2026, 3, 29, 1, 0, 5, tzinfo=UTC))

    assert [due.slot for due in planned.starts] == ["2026-03-29T02:33:00+01:00", "2026-03-29T02:48:00+01:00"]


def test_of_two_nominal_times_of_a_missed_gap_one_is_caught_up() -> None:
    after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    schedule = a_schedule(Cron(expression="33,48 2 * * *", timezone="Europe/Berlin"), watermark=after)

    planned = plan(schedule, now=datetime(2026, 3, 29, 4, 0, tzinfo=UTC))

    assert [due.slot for due in planned.starts] == ["2026-03-29T02:48:00+01:00"]
    assert [skip.due.slot for skip in planned.skips] == ["2026-03-29T02:33:00+01:00"]


def test_many_skips_are_one_span_of_each_reason() -> None:
    planned = plan(a_schedule(EVERY_MINUTE), now=at("08T00:00:30"))

    window, coalesced = planned.spans
    assert planned.skips == ()
    assert starts(planned) == [at("07T23:59:00"), at("08T00:00:00")]
    assert (window.reason, window.count) == (SkipReason.WINDOW, 6 * 1_440)
    assert (window.first.at, window.last.at) == (at("01T00:01:00"), at("07T00:00:00"))
    assert (coalesced.reason, coalesced.count) == (SkipReason.COALESCED, 1_438)
    assert (coalesced.first.at, coalesced.last.at) == (at("07T00:01:00"), at("07T23:58:00"))
    assert planned.last_due == at("08T00:00:00")


def test_a_span_beyond_the_limit_begins_after_what_was_caught_up() -> None:
    policies = Policies(catchup=Catchup.ALL, catchup_limit=5)

    planned = plan(a_schedule(EVERY_MINUTE, policies=policies), now=at("02T00:00:00"))

    (span,) = planned.spans
    assert (span.reason, span.count) == (SkipReason.LIMIT, 1_438 - 5)
    assert (span.first.at, span.last.at) == (at("01T00:06:00"), at("01T23:58:00"))


def test_a_span_of_a_single_skip_begins_and_ends_with_it() -> None:
    policies = Policies(catchup_window=timedelta(minutes=1_003))

    planned = plan(a_schedule(EVERY_MINUTE, policies=policies), now=START + timedelta(minutes=1_005))

    window, coalesced = planned.spans
    assert window.first.at == window.last.at == at("01T00:01:00")
    assert (window.count, coalesced.count) == (1, 1_001)


def test_the_newest_but_one_may_share_its_instant_with_the_newest() -> None:
    after = datetime(2026, 3, 28, 0, 0, tzinfo=UTC)
    policies = Policies(catchup_window=timedelta(days=3))
    when = Cron(expression="0-59 0-59 2 * * *", timezone="Europe/Berlin")

    planned = plan(
        a_schedule(when, watermark=after, policies=policies), now=datetime(2026, 3, 29, 4, tzinfo=UTC)
    )

    (span,) = planned.spans
    assert [due.slot for due in planned.starts] == ["2026-03-29T02:59:59+01:00"]
    assert span.last.slot == "2026-03-29T02:59:58+01:00"
    assert span.count == 2 * 3_600 - 1


@pytest.mark.parametrize("count", [MOST_SKIPS, MOST_SKIPS + 1])
def test_up_to_a_thousand_skips_are_told_one_by_one(count: int) -> None:
    policies = Policies(catchup=Catchup.NONE, misfire_grace=timedelta())

    planned = plan(
        a_schedule(EVERY_SECOND, policies=policies), now=START + timedelta(seconds=count, milliseconds=1)
    )

    assert len(planned.skips) == (count if count <= MOST_SKIPS else 0)
    assert [span.count for span in planned.spans] == ([] if count <= MOST_SKIPS else [count])


def test_a_plan_with_very_many_on_time_ends_early_and_is_due_again_at_once() -> None:
    policies = Policies(misfire_grace=timedelta(days=2))
    schedule = a_schedule(EVERY_SECOND, policies=policies)

    planned = plan(schedule, now=at("02T00:00:00"))

    assert len(planned.starts) == MOST_STARTS
    assert planned.watermark == START + timedelta(seconds=MOST_STARTS)
    assert planned.next_due == planned.watermark + timedelta(seconds=1)


def test_a_plan_does_not_end_between_two_slots_of_one_instant() -> None:
    after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    when = Cron(expression="0-59 0-59 2 * * *", timezone="Europe/Berlin")

    planned = plan(a_schedule(when, watermark=after), now=datetime(2026, 3, 29, 1, tzinfo=UTC))

    assert len(planned.starts) == 3_600
    assert planned.watermark == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize("catchup", list(Catchup))
@pytest.mark.parametrize(
    "when",
    [EVERY_MINUTE, EVERY_SECOND, Interval(every=timedelta(seconds=1))],
    ids=["minute", "second", "interval"],
)
def test_years_of_missed_times_are_planned_in_little_work(when: When, catchup: Catchup) -> None:
    schedule = a_schedule(when, policies=Policies(catchup=catchup))

    with counted() as work:
        planned = plan(schedule, now=START + timedelta(days=1_000))

    assert work.calls < LITTLE_WORK_CALLS
    assert len(planned.starts) < 200
    assert len(planned.spans) in (1, 2)


def test_a_time_that_comes_once_is_planned_once() -> None:
    once = Once(at=datetime(2026, 6, 1, 9), timezone="Asia/Seoul")  # noqa: DTZ001 - the wall's clock
    schedule = a_schedule(once, watermark=datetime(2026, 5, 31, tzinfo=UTC))

    planned = plan(schedule, now=START)

    assert [due.slot for due in planned.starts] == ["2026-06-01T09:00:00+09:00"]
    assert planned.next_due is None
    assert plan(a_schedule(once, watermark=planned.watermark), now=at("01T00:00:10")).starts == ()


def test_a_new_schedule_looks_forward() -> None:
    planned = look_forward(a_definition(HOURLY), first_seen=START, now=at("03T00:30:00"))

    assert planned == Plan(watermark=at("03T00:30:00"), next_due=at("03T01:00:00"), last_due=None)


def test_a_new_schedule_that_is_not_enabled_is_never_due() -> None:
    planned = look_forward(a_definition(HOURLY, enabled=False), first_seen=START, now=START)

    assert planned == Plan(watermark=START, next_due=None, last_due=None)


def test_a_new_schedule_may_be_seen_on_a_leap_day() -> None:
    leap_day = datetime(2028, 2, 29, tzinfo=UTC)
    once = Once(at=datetime(2028, 3, 1, 9))  # noqa: DTZ001 - the wall's clock

    planned = look_forward(a_definition(once), first_seen=leap_day, now=leap_day)

    assert planned == Plan(watermark=leap_day, next_due=datetime(2028, 3, 1, 9, tzinfo=UTC), last_due=None)


def test_a_single_time_that_has_passed_when_it_is_first_seen_is_a_misfire() -> None:
    once = Once(at=datetime(2026, 5, 1, 9), timezone="Asia/Seoul")  # noqa: DTZ001 - the wall's clock

    planned = look_forward(a_definition(once), first_seen=START, now=START)

    assert [skip.due.slot for skip in planned.skips] == ["2026-05-01T09:00:00+09:00"]
    assert planned.skips[0].reason is SkipReason.MISFIRE
    assert planned.next_due is None
