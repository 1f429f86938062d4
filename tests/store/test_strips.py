"""The last runs of flows and what their runs come to, on each database."""

from datetime import timedelta
from itertools import pairwise

import pytest

from schedulerd.domain.states import RunState
from schedulerd.errors import NotFound
from schedulerd.operations.figures import Bar, Figures
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, add, add_in, move

AN_HOUR = timedelta(hours=1)


@pytest.fixture
def figures(database: Database) -> Figures:
    """Of two flows: `etl` has five runs, of which one failed, an hour apart; `report` has one that goes on, and `idle` none."""
    with database.write() as tx:
        etl, report, _ = (a_scene(tx, name=name).flow for name in ("etl", "report", "idle"))
        for number in range(5):
            end = RunState.FAILED if number == 1 else RunState.COMPLETED
            run(tx, etl, end, hours=number)
        add_in(tx, report, RunState.RUNNING)
    return Figures(database)


def run(tx: Transaction, flow: int, end: RunState, *, hours: int) -> None:
    """A run of a minute, so many hours from now."""
    key, at = add(tx, flow), NOW + hours * AN_HOUR  # type: ignore[arg-type]
    for state in (RunState.PENDING, RunState.RUNNING, end):
        assert move(tx, key, state, at=at + (60 * A_SECOND if state is end else timedelta()))


def test_the_last_runs_of_several_flows_are_found_at_once_the_newest_last(figures: Figures) -> None:
    found = figures.strips(["etl", "report", "idle"], count=4)

    assert [mark.number for mark in found["etl"]] == [2, 3, 4, 5]
    assert [mark.state for mark in found["etl"]][:2] == [RunState.FAILED, RunState.COMPLETED]
    first = found["etl"][0]
    assert (first.started_at, first.ended_at) == (NOW + AN_HOUR, NOW + AN_HOUR + 60 * A_SECOND)
    assert first.duration(now=NOW) == 60 * A_SECOND
    (going,) = found["report"]
    assert (going.ended_at, going.duration(now=NOW + AN_HOUR)) == (None, AN_HOUR)
    assert found["idle"] == []


def test_a_mark_is_of_the_run_that_has_its_id(figures: Figures, database: Database) -> None:
    (mark,) = figures.strips(["report"])["report"]
    with database.read() as tx:
        assert tx.runs.by_key(mark.key).id == mark.id


def test_a_run_that_never_started_has_no_duration(database: Database) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow)
    ((mark,),) = Figures(database).strips(["etl"]).values()

    assert mark.duration(now=NOW) is None


def test_the_hours_of_a_stretch_count_whole(figures: Figures) -> None:
    half = AN_HOUR / 2
    of_two = figures.total(since=NOW + half, until=NOW + AN_HOUR + half)
    of_all = figures.total(since=NOW, until=NOW + 5 * AN_HOUR)
    of_report = figures.total(since=NOW, until=NOW + 5 * AN_HOUR, flow="report")

    assert dict(of_two.counts) == {RunState.COMPLETED: 1, RunState.FAILED: 1}
    assert (of_all.total, of_all.bad, of_all.ok_share, of_all.p95_ms) == (5, 1, 0.8, 60_000)
    assert of_report.total == 0


def test_flows_are_told_apart(figures: Figures) -> None:
    found = figures.of_flows(["idle", "etl"], since=NOW, until=NOW + 9 * AN_HOUR)

    assert [(name, numbers.total) for name, numbers in found.items()] == [("idle", 0), ("etl", 5)]


@pytest.mark.parametrize(
    ("bars", "totals"), [(9, [1, 1, 1, 1, 1]), (5, [1, 1, 1, 1, 1]), (2, [2, 3]), (1, [5]), (0, [5])]
)
def test_the_bars_of_a_stretch_end_with_it_and_hold_every_end_once(
    figures: Figures, bars: int, totals: list[int]
) -> None:
    found = figures.activity(since=NOW, until=NOW + 5 * AN_HOUR, bars=bars)

    assert [bar.total for bar in found] == totals
    assert (found[0].start, found[-1].end) == (NOW, NOW + 5 * AN_HOUR)
    assert all(bar.end == after.start for bar, after in pairwise(found))


def test_a_bar_tells_the_groups_of_states_apart(figures: Figures) -> None:
    (bar,) = figures.activity(since=NOW + AN_HOUR, until=NOW + 1.5 * AN_HOUR, bars=1, flow="etl")

    counts = {"ok": 0, "bad": 1, "neutral": 0}
    assert bar == Bar(start=NOW + AN_HOUR, end=NOW + 2 * AN_HOUR, counts=counts)


def test_a_flow_that_nobody_knows_is_refused(figures: Figures) -> None:
    for ask in (
        lambda: figures.total(since=NOW, until=NOW, flow="elt"),
        lambda: figures.strips(["etl", "elt"]),
    ):
        with pytest.raises(NotFound, match="did you mean etl"):
            ask()
