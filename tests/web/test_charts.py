"""Charts, and what needs attention."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.operations.figures import Bar
from schedulerd.store.strips import Mark
from schedulerd.web.attention import failing, grouped
from schedulerd.web.charts import activity, strip
from tests.builders import A_SECOND, NOW, a_run


def a_bar(hour: int, ok: int = 0, bad: int = 0, neutral: int = 0) -> Bar:
    start = NOW + timedelta(hours=hour)
    return Bar(start=start, end=start + timedelta(hours=1), counts={"ok": ok, "bad": bad, "neutral": neutral})


def a_mark(number: int, state: RunState, seconds: float | None, reason: str = "") -> Mark:
    ended: datetime | None = None if seconds is None else NOW + seconds * A_SECOND
    return Mark(
        key=RunKey(number),
        id=RunId(UUID(int=number)),
        number=number,
        state=state,
        reason=reason,
        started_at=None if seconds is None else NOW,
        ended_at=ended,
    )


def a_failed_run(message: str, key: int, **changes: object) -> Run:
    run = replace(a_run(), key=RunKey(key), failure=Failure(type="ValueError", message=message))
    return replace(run, **changes)  # type: ignore[arg-type]


def test_bars_are_as_high_as_their_counts_and_lie_on_each_other() -> None:
    chart = activity([a_bar(0, ok=10), a_bar(1, ok=5, bad=5), a_bar(2)])

    assert (chart.width, chart.most) == (30, 10)
    assert chart.paths["ok"] == "M0 0h8v100h-8zM10 50h8v50h-8z"
    assert chart.paths["bad"] == "M10 0h3v5h2v-5h3v50h-8z"
    assert "neutral" not in chart.paths


def test_one_failure_among_many_is_seen() -> None:
    chart = activity([a_bar(0, ok=100_000, bad=1)])

    assert chart.paths["bad"] == "M0 0h3v1.5h2v-1.5h3v3h-8z"


def test_a_time_in_which_nothing_ended_has_no_bars() -> None:
    assert activity([a_bar(0)]).paths == {}
    assert activity([]).width > 0


def test_in_a_strip_shape_tells_bad_runs_from_good_ones_and_length_is_height() -> None:
    marks = [
        a_mark(1, RunState.COMPLETED, 10),
        a_mark(2, RunState.COMPLETED, 5),
        a_mark(3, RunState.FAILED, 5),
        a_mark(4, RunState.SKIPPED, None, "overlap"),
        a_mark(5, RunState.SKIPPED, None, "misfire"),
    ]

    found = strip(marks, now=NOW)

    assert found.paths["completed"] == "M0 0h8v24h-8zM10 12h8v12h-8z"
    assert found.paths["failed"] == "M20 0h3v5h2v-5h3v24h-8z"
    assert found.paths["skipped"] == "M30 21h8v3h-8z"
    assert found.counts == {"completed": 2, "failed": 1, "skipped": 1, "missed": 1}


def test_failures_that_differ_in_numbers_only_are_one_and_others_are_not() -> None:
    first = a_failed_run("row 17 of 0xffab is bad", 4)
    same = a_failed_run("row 18 of 0xffcd is bad\nand more", 3)
    other = a_failed_run("no such field", 2)
    elsewhere = a_failed_run("row 17 of 0xffab is bad", 1, flow="billing")

    found = grouped([first, same, other, elsewhere])

    assert [(one.newest.key, one.count) for one in found] == [(4, 2), (2, 1), (1, 1)]


def test_a_flow_fails_while_its_last_run_that_ended_did_whatever_waits_or_runs_now() -> None:
    marks = {
        "fails": [
            a_mark(1, RunState.COMPLETED, 1),
            a_mark(2, RunState.FAILED, 1),
            a_mark(3, RunState.SKIPPED, None),
            a_mark(4, RunState.CRASHED, 1),
            a_mark(5, RunState.RUNNING, None),
        ],
        "mended": [a_mark(6, RunState.FAILED, 1), a_mark(7, RunState.COMPLETED, 1)],
        "new": [a_mark(8, RunState.SCHEDULED, None)],
    }

    (found,) = failing(marks)

    assert (found.flow, found.newest.number, found.first.number, found.count) == ("fails", 4, 2, 2)


def test_the_bar_of_a_run_that_goes_on_grows() -> None:
    marks = [a_mark(1, RunState.COMPLETED, 10), going_on(a_mark(2, RunState.RUNNING, 1))]

    short, long = (strip(marks, now=NOW + seconds * A_SECOND).paths["running"] for seconds in (5, 10))

    assert (short, long) == ("M10 12h8v12h-8z", "M10 0h8v24h-8z")


def test_a_strip_is_kept_while_it_stays_as_it_is_and_not_while_one_of_its_runs_goes_on() -> None:
    done = [a_mark(1, RunState.COMPLETED, 10)]
    kept = strip(done, now=NOW)

    for second in range(2_000):
        strip([going_on(a_mark(2, RunState.RUNNING, 1))], now=NOW + second * A_SECOND)

    assert strip(done, now=NOW + A_SECOND) is kept


def going_on(mark: Mark) -> Mark:
    """The same, which has not ended."""
    return mark._replace(ended_at=None)
