"""The tasks of a run over time."""

from datetime import UTC, datetime, timedelta

from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.web.task_rows import LANE, MOST_BAD, MOST_ROWS, Bar, timeline

T0 = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_task(number: int, start: float | None, end: float | None, **changes: object) -> TaskRun:
    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else T0 + timedelta(seconds=seconds)

    given: dict[str, object] = {"name": f"task{number}", "state": TaskState.COMPLETED, **changes}
    return TaskRun(number=number, started_at=at(start), ended_at=at(end), **given)  # type: ignore[arg-type]


def test_bars_lie_where_the_tasks_were_in_time() -> None:
    found = timeline([a_task(1, 0, 5), a_task(2, 5, 10), a_task(3, 2.5, 7.5)], now=T0)

    assert [row.bar for row in found.rows] == [
        Bar(x=0, width=500),
        Bar(x=500, width=500),
        Bar(x=250, width=500),
    ]
    assert [row.duration for row in found.rows] == [timedelta(seconds=5)] * 3


def test_a_task_that_took_no_time_is_seen_within_the_lane() -> None:
    found = timeline([a_task(1, 0, 10), a_task(2, 10, 10)], now=T0)

    bar = found.rows[1].bar
    assert bar is not None
    assert bar.width > 0
    assert bar.x + bar.width == LANE


def test_a_task_that_runs_reaches_to_now_and_one_that_waits_has_no_bar() -> None:
    running = a_task(1, 0, None, state=TaskState.RUNNING)
    waiting = a_task(2, None, None, state=TaskState.PENDING)

    found = timeline([running, waiting], now=T0 + timedelta(seconds=4))

    assert found.rows[0].bar == Bar(x=0, width=LANE)
    assert found.rows[0].is_running
    assert found.rows[0].duration == timedelta(seconds=4)
    assert (found.rows[1].bar, found.rows[1].duration) == (None, None)


def test_each_attempt_is_a_stretch_of_its_own() -> None:
    def an_attempt(attempt: int, start: int, end: int | None) -> TaskAttempt:
        ended_at = None if end is None else T0 + timedelta(seconds=end)
        return TaskAttempt(
            number=2, attempt=attempt, started_at=T0 + timedelta(seconds=start), ended_at=ended_at
        )

    attempts = (an_attempt(1, 0, 2), an_attempt(2, 5, None))
    again = a_task(2, 0, None, state=TaskState.RUNNING, attempt=2, attempts=attempts)

    (row,) = timeline([again], now=T0 + timedelta(seconds=10)).rows

    assert [(one.bar, one.state) for one in row.stretches] == [
        (Bar(x=0, width=200), TaskState.RETRYING),
        (Bar(x=500, width=500), TaskState.RUNNING),
    ]
    assert row.duration == timedelta(seconds=10)


def test_all_of_one_instant_is_drawn() -> None:
    found = timeline([a_task(1, 0, 0)], now=T0)

    assert found.rows[0].bar is not None


def test_many_of_a_mapped_task_are_one_row_that_tells_the_worst_and_counts() -> None:
    mapped = [a_task(n + 1, n, n + 1, name="load", map_index=n) for n in range(30)]
    mapped[7] = a_task(8, 7, 8, name="load", map_index=7, state=TaskState.FAILED)
    tasks = [*mapped, a_task(31, 30, 40, name="last")]

    folded = timeline(tasks, now=T0)
    whole = timeline(tasks, now=T0, unfolded="load")

    assert [row.name for row in folded.rows] == ["load", "load[7]", "last"]
    assert folded.rows[0].state is TaskState.FAILED
    assert folded.rows[0].counts == {TaskState.FAILED: 1, TaskState.COMPLETED: 29}
    assert folded.rows[0].bar == Bar(x=0, width=750)
    assert len(whole.rows) == 32
    assert [row.name for row in whole.rows[:4]] == ["load", "load[7]", "load[0]", "load[1]"]


def test_of_many_that_failed_some_are_shown_below_the_sum_and_all_come_first_when_it_is_opened() -> None:
    bad = {3, 8, 9, 150, 151, 152, 180}
    states = {True: TaskState.FAILED, False: TaskState.COMPLETED}
    mapped = [a_task(n + 1, n, n + 1, name="load", map_index=n, state=states[n in bad]) for n in range(200)]

    folded = timeline(mapped, now=T0)
    whole = timeline(mapped, now=T0, unfolded="load")

    assert [row.name for row in folded.rows[1:]] == [f"load[{n}]" for n in sorted(bad)[:MOST_BAD]]
    assert [row.name for row in whole.rows[1:8]] == [f"load[{n}]" for n in sorted(bad)]
    assert whole.rows[8].name == "load[0]"
    assert len(whole.rows) == MOST_ROWS


def test_a_page_has_so_many_rows_and_says_how_many_are_before_and_after() -> None:
    tasks = [a_task(n + 1, 0, 1) for n in range(500)]

    first = timeline(tasks, now=T0)
    last = timeline(tasks, now=T0, skip=450)

    assert (len(first.rows), first.before, first.after, first.count) == (MOST_ROWS, 0, 500 - MOST_ROWS, 500)
    assert (len(last.rows), last.before, last.after) == (50, 450, 0)


def test_a_run_without_tasks_has_no_rows() -> None:
    found = timeline([], now=T0)

    assert (found.rows, found.began, found.ended) == ((), None, None)
