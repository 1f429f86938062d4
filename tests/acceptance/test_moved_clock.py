"""A whole daemon under a moved clock: its history is what `simulate` said of that stretch of time, nothing twice."""

import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock
from tests.passage import RECORD, Listed, Passage, outcomes
from tests.postgres import installations
from tests.waiting import SLOWER, eventually

pytestmark = pytest.mark.timeout(600)

SOON = timedelta(seconds=1.5) * SLOWER


def entry(name: str, when: str, *, command: str = RECORD, more: str = "") -> str:
    """An entry of a schedule file, in the time zone of Berlin."""
    return f"name = '{name}'\ncommand = '''{command}'''\n{when}\ntimezone = 'Europe/Berlin'\n{more}"


SCHEDULES = [
    entry("fixed", "cron = '30 2 * * *'"),
    entry("half-hourly", "cron = '*/30 * * * *'"),
    entry("two-hourly", "cron = '0 */2 * * *'"),
    entry("in-the-gap", "cron = '15 2,3 * * *'"),
    entry("elapsed", "every = '45m'", more="anchor = 2026-01-01T00:07:00"),
    entry("daily", "every = '1d'", more="anchor = 2026-01-01T02:50:00"),
    entry("rule", "rrule = 'FREQ=DAILY;BYHOUR=2,3;BYMINUTE=35;BYSECOND=0'"),
    entry("jittered", "cron = '5 * * * *'", more="jitter = '20m'"),
    entry("all", "cron = '25 * * * *'", more="catchup = 'all'\noverlap = 'allow'"),
    entry(
        "closed",
        "cron = '10,50 * * * *'",
        more="blackout = [{ cron = '0 3 * * *', duration = '45m' }]",
    ),
]


@pytest.fixture
def passage(tmp_path: Path, clock: MovedClock) -> Iterator[Passage]:
    with Passage(tmp_path, clock) as passage:
        yield passage


def assert_foreseen(
    passage: Passage, start: datetime, end: datetime, *down: tuple[datetime, datetime]
) -> None:
    """The history of this stretch is what `simulate` says of it; and it is sound."""
    runs = passage.runs()
    assert outcomes(runs) == passage.foreseen(start, end, *down)
    assert_sound(passage, runs)


def assert_sound(passage: Passage, runs: Sequence[Listed]) -> None:
    """Nothing ran twice, each run left its one line, none took less than no time, and the database holds together."""
    slots = passage.slots()
    assert len(set(slots)) == len(slots)
    completed = [run for run in runs if run["state"] == "completed"]
    assert passage.recorded() == sorted(
        (run["id"], datetime.fromisoformat(run["due_at"])) for run in completed
    )
    assert all(run["duration_ms"] >= 0 for run in completed)
    assert passage.service.broken_invariants() == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2026-03-29T01:12:00+01:00", "2026-03-29T05:12:00+02:00", id="spring"),
        pytest.param("2026-10-25T01:12:00+02:00", "2026-10-25T04:12:00+01:00", id="autumn"),
    ],
)
def test_across_a_change_of_the_clocks_history_is_what_simulate_said(
    passage: Passage, start: str, end: str
) -> None:
    began, over = datetime.fromisoformat(start), datetime.fromisoformat(end)
    passage.begin(began, [*SCHEDULES, entry("once", f"at = '{began:%Y-%m-%d}T02:40'")])

    passage.lead_to(over)

    assert_foreseen(passage, began, over)


# -- jumps ------------------------------------------------------------------------------------------------------------

POSTGRES = next((one.name for one in installations()), "postgres-none")
NOON = datetime.fromisoformat("2026-06-10T12:05:20+02:00")
JUMPY = [
    entry("latest", "cron = '0 * * * *'", more="catchup_window = '150m'"),
    entry("all", "cron = '20 * * * *'", more="catchup = 'all'"),
    entry("none", "cron = '40 * * * *'", more="catchup = 'none'"),
    entry("often", "cron = '*/30 * 0-6,18-23 * * *'"),
    entry("jittered", "cron = '30 * * * *'", more="jitter = '10m'\ncatchup = 'all'\noverlap = 'queue'"),
    entry("closed", "cron = '50 */2 * * *'", more="blackout = [{ cron = '0 14 * * *', duration = '1h' }]"),
]
LONG = entry("long", "at = '2026-06-10T12:05:17'", command=f"{RECORD}; sleep 3")


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    "jump",
    [pytest.param(hours(3), id="3h"), pytest.param(hours(4), id="4h"), pytest.param(hours(24), id="1d")],
)
def test_a_clock_that_jumps_forward_is_a_downtime(
    passage: Passage, jump: timedelta, record_property: Callable[[str, object], None]
) -> None:
    began = NOON - hours(0.6)
    passage.begin(began, [*JUMPY, LONG])
    passage.lead_to(NOON, but="long")
    passage.wait_until_running("long")

    landed = passage.jump(jump)
    passage.wait_until_decided()
    passage.lead_to(over := landed + hours(0.7))

    assert_foreseen(passage, began, over, (NOON, landed))
    late = min(run.created_at for run in passage.found() if run.created_at >= landed) - landed
    record_property("figures", f"decided {late.total_seconds():.2f} s after the clock had jumped by {jump}")
    assert late <= SOON


def test_a_clock_that_goes_back_an_hour_repeats_nothing_and_is_silent_until_it_is_where_it_was(
    passage: Passage,
) -> None:
    began, over = NOON - hours(1.2), NOON + hours(0.5)
    passage.begin(began, [*JUMPY, LONG])
    passage.lead_to(NOON, but="long")
    passage.wait_until_running("long")
    before = passage.slots()

    passage.jump(-hours(1))
    for minutes in (16, 36):
        passage.wait_for_a_look(NOON - hours(1) + timedelta(minutes=minutes))
    assert passage.slots() == before
    passage.lead_to(over)

    assert_foreseen(passage, began, over)


@pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param(POSTGRES, marks=pytest.mark.postgres)], indirect=True
)
def test_a_clock_that_goes_back_four_hours_repeats_nothing_and_is_put_right(
    tmp_path: Path, clock: MovedClock, empty_url: str
) -> None:
    began, over = NOON - hours(4.2), NOON + hours(0.5)
    with Passage(tmp_path, clock, url=empty_url) as passage:
        passage.begin(began, [*JUMPY[:2], LONG])
        passage.lead_to(NOON, but="long")
        passage.wait_until_running("long")

        passage.jump(-hours(4))
        eventually(lambda: passage.service.said("clock_went_back"), within=10)
        passage.lead_to(over)

        assert_foreseen(passage, began, over)


# -- corrections ------------------------------------------------------------------------------------------------------

FAR_AHEAD = timedelta(days=40)


def test_a_machine_that_starts_with_its_clock_forty_days_ahead_is_not_silent_when_it_is_put_right(
    passage: Passage,
) -> None:
    passage.begin(NOON, [entry("hourly", "cron = '0 * * * *'"), entry("often", "cron = '*/10 * * * *'")])
    passage.service.stop(signal.SIGTERM)
    passage.jump(FAR_AHEAD)
    passage.start()
    eventually(lambda: len(passage.found()) > 900, within=20)
    passage.wait_until_decided()

    passage.jump(-FAR_AHEAD)
    eventually(lambda: passage.service.said("clock_went_back"), within=10)
    passage.lead_to(NOON + hours(1))

    ahead = [run.due_at - NOON for run in passage.found() if run.state == "completed" and run.due_at > NOON]
    expected = [timedelta(minutes=minutes, seconds=-20) for minutes in (5, 15, 25, 35, 45, 55, 55)]
    assert sorted(due for due in ahead if due < hours(1)) == expected
    assert_sound(passage, passage.runs())
