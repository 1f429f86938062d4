"""Runs that have ended are counted in their hour, however they ended, and no more once they are tried again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Position
from schedulerd.domain.states import FINAL, RunState
from schedulerd.domain.tallies import Tally, length_class, milliseconds
from schedulerd.store.database import Database
from schedulerd.store.tables import runs
from schedulerd.store.tallies import ALL_FLOWS, recount
from schedulerd.store.tally_table import tallies
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_new_run
from tests.store.scenes import (
    a_move,
    a_scene,
    add,
    add_in,
    add_scheduled,
    an_intake,
    claim,
    move,
)

AN_HOUR = timedelta(hours=1)


def rows(tx: Transaction) -> list[tuple[Any, ...]]:
    """All that is counted."""
    return sorted(tuple(row) for row in tx._connection.execute(select(tallies)))


def anew(tx: Transaction) -> list[tuple[Any, ...]]:
    """What a count of all runs gives."""
    tx._connection.execute(delete(tallies))
    recount(tx._connection)
    return rows(tx)


def test_every_end_is_counted_by_whatever_way_it_comes(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        for state in FINAL:
            add_in(tx, scene.flow, state)
        tx.runs.add([a_new_run(scene.flow, state=RunState.SKIPPED, reason="misfire")])
        for second in (3, 2, 1):
            add_scheduled(tx, scene, NOW - second * A_SECOND)
        claim(tx)  # one starts, and those that overlap are skipped
        for run in tx.runs.live():
            moves = (a_move(RunState.RUNNING), a_move(RunState.COMPLETED, at=NOW + 7 * A_SECOND))
            tx.intake.take([an_intake(run.key, moves=moves)])
        counted = rows(tx)
        states = Counter[str]()
        for flow, _, state, _, count, _ in counted:
            states[state] += count if flow == scene.flow else 0

        assert counted == anew(tx)
    assert states == {state.value: {"skipped": 4, "completed": 2}.get(state.value, 1) for state in FINAL}


def test_a_run_that_is_tried_again_is_not_counted_until_it_ends_again(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_in(tx, scene.flow, RunState.FAILED)
        tx.runs.try_again(key, at=NOW + AN_HOUR, actor="kim", message="once more")
        between = rows(tx)
        for state in (RunState.PENDING, RunState.RUNNING, RunState.COMPLETED):
            assert move(tx, key, state, at=NOW + 2 * AN_HOUR)

        assert between == []
        assert [row[2] for row in rows(tx)] == ["completed", "completed"]
        assert rows(tx) == anew(tx)


def test_of_two_runs_in_the_same_class_one_stays_when_the_other_is_tried_again(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key, _ = (add_in(tx, scene.flow, RunState.FAILED) for _ in range(2))
        tx.runs.try_again(key, at=NOW, actor="kim", message="")

        assert [row[4] for row in rows(tx)] == [1, 1]


def test_a_start_that_is_heard_of_after_the_end_changes_the_class(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        move(tx, key, RunState.PENDING)
        move(tx, key, RunState.CRASHED, at=NOW + 9 * A_SECOND)
        late = Intake(run=key, was=Position(), now=Position(journal=50), moves=(), started_at=NOW)
        tx.intake.take([late])

        assert rows(tx) == anew(tx)
        assert {row[3] for row in rows(tx)} == {length_class(9 * A_SECOND)}


def test_what_is_counted_stays_when_the_runs_are_removed(database: Database) -> None:
    with database.write() as tx:
        for state in (RunState.COMPLETED, RunState.FAILED):
            add_in(tx, a_scene(tx).flow, state)
        before = rows(tx)
        tx._connection.execute(delete(runs))

        assert rows(tx) == before
        assert tx.broken_invariants() == []

        tx.tallies.forget(NOW)
        kept = rows(tx)
        tx.tallies.forget(NOW + AN_HOUR)
        assert (kept, rows(tx)) == (before, [])


@pytest.mark.parametrize("hours", [0, 1])
def test_tallies_are_asked_for_by_flow_and_by_hour(database: Database, hours: int) -> None:
    with database.write() as tx:
        etl, report = (a_scene(tx, name=name).flow for name in ("etl", "report"))
        for flow, seconds in ((etl, 5), (etl, 5), (report, 60)):
            ended(tx, add(tx, flow), NOW + hours * AN_HOUR, seconds)
        since = datetime(2026, 11, 22, 6, tzinfo=UTC) + hours * AN_HOUR
        found = tx.tallies.of_flows([ALL_FLOWS, etl], since=since, until=since + AN_HOUR)
        by_hour = tx.tallies.of_hours(ALL_FLOWS, since=since - 9 * AN_HOUR, until=since + 9 * AN_HOUR)
        in_two = tx.tallies.of_hours(ALL_FLOWS, since=since - AN_HOUR, until=since + 2 * AN_HOUR, step=2)
        before = tx.tallies.of_flows([etl], since=since - AN_HOUR, until=since)

    assert found[etl] == [a_tally(5, 2)]
    assert sorted(found[ALL_FLOWS], key=lambda one: one.length) == [a_tally(5, 2), a_tally(60, 1)]
    assert by_hour == {since + AN_HOUR: {RunState.COMPLETED: 3}}
    assert in_two == {since + 2 * AN_HOUR: {RunState.COMPLETED: 3}}
    assert before == {etl: []}


def ended(tx: Transaction, key: RunKey, start: datetime, seconds: int) -> None:
    """Have the run complete after so many seconds."""
    move(tx, key, RunState.PENDING, at=start)
    move(tx, key, RunState.RUNNING, at=start)
    move(tx, key, RunState.COMPLETED, at=start + seconds * A_SECOND)


def a_tally(seconds: int, count: int) -> Tally:
    """So many completed runs of this length."""
    length = seconds * A_SECOND
    return Tally(
        state=RunState.COMPLETED,
        length=length_class(length),
        count=count,
        total_ms=count * milliseconds(length),
    )
