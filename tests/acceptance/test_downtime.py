"""Due times that came while no daemon ran: each policy does just what it says, the rest has its reason, and all at once."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import A_SECOND
from tests.clock_shim import MovedClock
from tests.passage import RECORD, Listed, Passage, outcomes
from tests.waiting import SLOWER

pytestmark = pytest.mark.timeout(600)

NOON = datetime.fromisoformat("2026-06-10T12:00:20+02:00")
START = timedelta(seconds=2)  # on an idle machine


def minutely(name: str, more: str) -> str:
    """A schedule at each full minute."""
    return f"name = '{name}'\ncommand = '''{RECORD}'''\ncron = '* * * * *'\noverlap = 'allow'\nmisfire_grace = '1s'\n{more}"


SCHEDULES = [
    minutely("latest", "catchup = 'latest'"),
    minutely("none", "catchup = 'none'"),
    minutely("all", "catchup = 'all'\ncatchup_limit = 60"),
    minutely("some", "catchup = 'all'\ncatchup_limit = 10\ncatchup_window = '30m'"),
]


@pytest.fixture
def passage(tmp_path: Path, clock: MovedClock) -> Iterator[Passage]:
    with Passage(tmp_path, clock) as passage:
        yield passage


def _be_down(passage: Passage, gap: timedelta) -> tuple[datetime, float]:
    """Stop the daemon, let so much time pass, and start it again: the moment, and the seconds until all was decided."""
    passage.service.stop(signal.SIGTERM)
    back = passage.jump(gap)
    began = time.monotonic()
    passage.start()
    passage.wait_until_decided()
    return back, time.monotonic() - began


def test_after_an_hour_each_policy_has_done_what_it_says(
    passage: Passage, record_property: Callable[[str, object], None]
) -> None:
    passage.begin(NOON, SCHEDULES)

    back, seconds = _be_down(passage, timedelta(hours=1))

    runs = _until(passage, back)
    assert outcomes(runs) == passage.foreseen(NOON, back + A_SECOND, (NOON, back))
    ran = Counter(run["schedule"] for run in runs if run["state"] == "completed")
    assert ran == {"latest": 1, "all": 60, "some": 10}
    assert len([due for _, due in passage.recorded() if due <= back]) == ran.total()
    assert len(set(passage.slots())) == len(passage.slots())
    record_property("figures", f"an hour: decided and run {seconds:.1f} s after the start")


def test_ten_thousand_missed_minutes_are_accounted_for_at_the_start(
    passage: Passage, record_property: Callable[[str, object], None]
) -> None:
    passage.begin(NOON, SCHEDULES)

    back, seconds = _be_down(passage, timedelta(minutes=10_000))

    runs = _until(passage, back)
    found = outcomes(runs)
    told = Counter[str]()
    for outcome in found:
        told[outcome.schedule] += outcome.count
    assert found == passage.foreseen(NOON, back + A_SECOND, (NOON, back))
    assert set(told.values()) == {10_000}
    assert all(run["reason"] for run in runs if run["state"] == "skipped")
    assert passage.service.broken_invariants() == []
    decided = _decided_after(passage, back)
    record_property(
        "figures",
        f"10,000 minutes: decided {decided.total_seconds():.1f} s after the start, run after {seconds:.1f} s",
    )
    assert decided <= START * SLOWER


def _until(passage: Passage, moment: datetime) -> list[Listed]:
    """The runs that were due by then."""
    return [run for run in passage.runs() if datetime.fromisoformat(run["due_at"]) <= moment]


def _decided_after(passage: Passage, back: datetime) -> timedelta:
    return max(run.created_at for run in passage.found() if run.due_at <= back) - back
