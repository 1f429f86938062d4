"""A whole daemon under a moved clock: its history is what `simulate` said of that stretch of time, nothing twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock
from tests.passage import RECORD, Passage

pytestmark = pytest.mark.timeout(120)

SOON = timedelta(seconds=1.5)
A_MOMENT = timedelta(seconds=5)


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


def assert_sound(passage: Passage) -> None:
    """Nothing ran twice, each run that there is was one of the world, and no database says what cannot be."""
    slots = [slot for slot in passage.slots() if slot[1] is not None]
    assert len(set(slots)) == len(slots)
    runs = passage.runs()
    completed = [
        (run["id"], datetime.fromisoformat(run["due_at"])) for run in runs if run["state"] == "completed"
    ]
    assert passage.recorded() == sorted(completed)
    assert all(run["duration_ms"] is None or run["duration_ms"] >= 0 for run in runs)
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

    assert passage.history() == passage.foreseen(began, over)
    assert_sound(passage)
