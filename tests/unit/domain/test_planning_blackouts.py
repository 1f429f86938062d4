"""What is planned where a schedule has jitter, bounds or blackouts; and what is left when it is paused or edited."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.planning import Plan, leave, look_forward, plan
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutWindow,
    Catchup,
    Cron,
    Once,
    Policies,
    Schedule,
)
from tests.builders import a_schedule
from tests.work import counted

START: Final = datetime(2026, 6, 1, tzinfo=UTC)
HOURLY: Final = Cron(expression="0 * * * *")
HOUR: Final = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-{text}+00:00")


def night(action: BlackoutAction = BlackoutAction.SKIP) -> Blackout:
    """From 22:30 to 02:30, each night."""
    return Blackout(windows=(BlackoutWindow(expression="30 22 * * *", duration=4 * HOUR),), action=action)


def in_force(watermark: str, last_due: datetime | None = None, **definition: Any) -> Schedule:
    return Schedule(
        key=ScheduleKey(1),
        flow_key=FlowKey(1),
        definition=a_schedule("etl", **{"when": HOURLY, **definition}),
        first_seen=START,
        watermark=at(watermark),
        next_due=None,
        last_due=last_due,
    )


def starts(planned: Plan) -> list[str]:
    return [f"{due.at:%dT%H:%M}" for due in planned.starts]


def skips(planned: Plan, reason: SkipReason = SkipReason.BLACKOUT) -> list[str]:
    return [f"{skip.due.at:%dT%H:%M}" for skip in planned.skips if skip.reason is reason]


def test_times_in_a_blackout_are_skipped_when_the_next_one_is_due() -> None:
    schedule = in_force("01T22:00", blackout=night())

    before = plan(in_force("01T21:30", blackout=night()), now=at("01T22:00:10"))
    after = plan(schedule, now=at("02T03:00:10"))

    assert before.next_due == at("02T03:00")
    assert starts(after) == ["02T03:00"]
    assert skips(after) == ["01T23:00", "02T00:00", "02T01:00", "02T02:00"]
    assert after.last_due == at("02T03:00")


def test_the_newest_runs_after_the_blackout_and_the_others_are_skipped() -> None:
    schedule = in_force("01T22:00", blackout=night(BlackoutAction.RUN_AFTER))

    waiting = plan(schedule, now=at("01T22:05"))
    planned = plan(schedule, now=at("02T02:30:01"))

    assert waiting.next_due == at("02T02:30")
    assert [(due.at, due.slot) for due in planned.starts] == [(at("02T02:30"), "2026-06-02T02:00:00+00:00")]
    assert planned.caught_up == 0
    assert skips(planned) == ["01T23:00", "02T00:00", "02T01:00"]


def test_what_was_to_run_after_a_blackout_and_was_missed_is_caught_up() -> None:
    schedule = in_force(
        "01T22:00", blackout=night(BlackoutAction.RUN_AFTER), policies=Policies(catchup=Catchup.ALL)
    )

    planned = plan(schedule, now=at("02T03:30"))

    assert starts(planned) == ["02T02:30", "02T03:00"]
    assert planned.caught_up == 2


def test_a_schedule_with_nothing_but_blackout_ahead_looks_again_for_its_row() -> None:
    once = Once(at=datetime(2026, 6, 1, 23))  # noqa: DTZ001 - the wall's clock
    schedule = in_force("01T20:00", when=once, blackout=night())

    before = plan(schedule, now=at("01T22:59"))
    then = plan(schedule, now=at("01T23:00"))

    assert before.next_due == at("01T23:00")
    assert skips(then) == ["01T23:00"]
    assert (then.starts, then.next_due) == ((), None)


def test_a_single_time_that_passed_in_a_blackout_before_it_was_first_seen_is_a_misfire() -> None:
    once = Once(at=datetime(2026, 5, 1, 23))  # noqa: DTZ001 - the wall's clock

    planned = look_forward(a_schedule("etl", when=once, blackout=night()), first_seen=START, now=START)

    assert skips(planned, SkipReason.MISFIRE) == ["01T23:00"]
    assert planned.next_due is None


def test_missed_times_are_caught_up_when_the_blackout_ends() -> None:
    schedule = in_force("01T20:30", blackout=night())

    held = plan(schedule, now=at("01T23:30"))
    planned = plan(schedule, now=at("02T02:30"))

    assert held == Plan(watermark=at("01T20:30"), next_due=at("02T02:30"), last_due=None)
    assert starts(planned) == ["01T22:00"]
    assert skips(planned, SkipReason.COALESCED) == ["01T21:00"]
    assert skips(planned) == ["01T23:00", "02T00:00", "02T01:00", "02T02:00"]


def test_missed_times_that_are_not_to_be_caught_up_do_not_wait() -> None:
    schedule = in_force("01T20:30", blackout=night(), policies=Policies(catchup=Catchup.NONE))

    planned = plan(schedule, now=at("01T23:30"))

    assert skips(planned, SkipReason.MISFIRE) == ["01T21:00", "01T22:00"]
    assert skips(planned) == ["01T23:00"]


def test_what_is_on_time_starts_though_a_blackout_has_just_begun() -> None:
    schedule = in_force("01T20:30", when=Cron(expression="29 22 * * *"), blackout=night())

    planned = plan(schedule, now=at("01T22:30:00"))

    assert starts(planned) == ["01T22:29"]
    assert planned.watermark == at("01T22:30:00")


def test_many_times_in_a_blackout_are_one_span() -> None:
    schedule = in_force(
        "01T00:00", when=Cron(expression="* * * * *"), blackout=Blackout(days=(date(2026, 6, 1),))
    )

    planned = plan(schedule, now=at("02T00:00:30"))

    (span,) = planned.spans
    assert (span.reason, span.count) == (SkipReason.BLACKOUT, 1_439)
    assert (span.first.at, span.last.at) == (at("01T00:01"), at("01T23:59"))
    assert starts(planned) == ["02T00:00"]


def test_a_span_of_a_blackout_ends_before_the_one_that_runs_after() -> None:
    dark = Blackout(days=(date(2026, 6, 1),), action=BlackoutAction.RUN_AFTER)
    schedule = in_force(
        "01T00:00", when=Cron(expression="*/2 1-23 * * *"), blackout=dark, jitter=timedelta(seconds=2)
    )
    seconds = in_force("01T00:00", when=Cron(expression="*/20 * 1-23 * * *"), blackout=dark)

    few, many = (plan(one, now=at("02T00:00:30")) for one in (schedule, seconds))

    (span,) = many.spans
    assert (span.count, span.last.at) == (23 * 180 - 1, at("01T23:59:20"))
    assert starts(many) == starts(few) == ["02T00:00"]
    assert len(few.skips) == 23 * 30 - 1


def test_a_delayed_time_starts_at_its_delayed_time() -> None:
    schedule = in_force("01T00:30", jitter=HOUR)

    (first,) = plan(schedule, now=at("01T02:00")).starts
    early = plan(schedule, now=first.at - timedelta(seconds=1))

    assert first.slot == "2026-06-01T01:00:00+00:00"
    assert early.starts == ()
    assert early.next_due == first.at


def test_years_of_jitter_and_nightly_blackouts_are_planned_in_little_work() -> None:
    schedule = in_force(
        "01T00:00",
        when=Cron(expression="* * * * *", timezone="Europe/Berlin"),
        jitter=timedelta(seconds=30),
        blackout=night(BlackoutAction.RUN_AFTER),
    )

    with counted() as work:
        planned = plan(schedule, now=START + timedelta(days=365, hours=12))

    assert sum(span.count for span in planned.spans) + len(planned.starts) in range(
        365 * 1_440 + 719, 365 * 1_440 + 722
    )
    assert work.calls < 6_000_000  # walked time by time it would be several times as many


@pytest.mark.parametrize(
    ("now", "skip", "span"),
    [
        ("01T20:45", None, None),
        ("01T21:00", "01T21:00", None),
        ("01T22:15", None, ("01T21:00", "01T22:00", 2)),
        ("02T03:15", None, ("01T21:00", "02T03:00", 7)),
    ],
    ids=["none", "one", "two", "those in a blackout too"],
)
def test_what_is_left_is_one_row(now: str, skip: str | None, span: tuple[str, str, int] | None) -> None:
    schedule = in_force("01T20:30", last_due=at("01T20:00"), blackout=night())

    planned = leave(schedule, now=at(now), reason=SkipReason.PAUSED)

    assert skips(planned, SkipReason.PAUSED) == ([skip] if skip else [])
    found = [(f"{one.first.at:%dT%H:%M}", f"{one.last.at:%dT%H:%M}", one.count) for one in planned.spans]
    assert found == ([span] if span else [])
    assert all(one.reason is SkipReason.PAUSED for one in planned.spans)
    assert planned.starts == ()
    assert planned.watermark == at(now)
    newest = span[1] if span else skip or "01T20:00"
    assert planned.last_due == at(newest)


def test_after_what_is_left_it_looks_forward() -> None:
    schedule = in_force("01T20:30", blackout=night())

    left = leave(schedule, now=at("01T22:15"), reason=SkipReason.EDITED)

    assert left.next_due == at("02T03:00")


def test_a_schedule_that_is_not_enabled_leaves_nothing() -> None:
    left = leave(in_force("01T20:30", enabled=False), now=at("02T22:15"), reason=SkipReason.REMOVED)

    assert left == Plan(watermark=at("02T22:15"), next_due=None, last_due=None)


def test_a_clock_that_went_back_leaves_nothing_twice() -> None:
    left = leave(in_force("01T20:30"), now=at("01T18:15"), reason=SkipReason.PAUSED)

    assert left == Plan(watermark=at("01T20:30"), next_due=at("01T21:00"), last_due=None)
