"""Moves: the table of moves holds in the database itself."""

from datetime import timedelta

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Move
from schedulerd.domain.states import FINAL, MOVES, RunState
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import PATHS, a_scene, add, add_in, move

PAIRS = [pytest.param(was, to, id=f"{was}>{to}") for was in RunState for to in RunState]


@pytest.mark.parametrize(("was", "to"), PAIRS)
def test_a_move_is_made_exactly_where_the_table_allows_it(
    sqlite_database: Database, was: RunState, to: RunState
) -> None:
    with sqlite_database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, was)
        before = tx.runs.by_key(key)

        moved = move(tx, key, to, reason="overlap")

        assert moved is (to in MOVES[was])
        assert tx.runs.by_key(key).state is (to if moved else was)
        assert moved or tx.runs.by_key(key) == before
        assert len(tx.runs.moves(key)) == len(PATHS[was]) + moved


def test_all_pairs_hold_on_every_database(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        allowed = {
            (was, to)
            for was in RunState
            for to in RunState
            if move(tx, add_in(tx, flow, was), to, reason="overlap")
        }

    assert allowed == {(was, to) for was, states in MOVES.items() for to in states}


def test_a_move_is_written_with_its_time_actor_and_message(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        move(tx, key, RunState.PENDING, actor="core")
        tx.runs.move(key, RunState.CRASHED, at=NOW + A_SECOND, actor="core", message="the process went away")

        assert tx.runs.moves(key) == [
            Move(at=NOW, was=RunState.SCHEDULED, to=RunState.PENDING, actor="core"),
            Move(
                at=NOW + A_SECOND,
                was=RunState.PENDING,
                to=RunState.CRASHED,
                actor="core",
                message="the process went away",
            ),
        ]


def test_a_second_mover_to_the_same_state_is_told_no(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)

        assert tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="one")
        assert not tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="two")


def test_a_mover_can_say_what_it_expects(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        expect_other = frozenset({RunState.PENDING})
        expect_this = frozenset({RunState.PENDING, RunState.RUNNING})

        assert not tx.runs.move(key, RunState.CRASHED, at=NOW, actor="test", expect=expect_other)
        assert not tx.runs.move(key, RunState.CRASHED, at=NOW, actor="test", expect=frozenset())
        assert tx.runs.move(key, RunState.CRASHED, at=NOW, actor="test", expect=expect_this)


def test_a_run_that_is_not_there_does_not_move(database: Database) -> None:
    with database.write() as tx:
        assert not tx.runs.move(RunKey(99), RunState.PENDING, at=NOW, actor="test")


def test_moves_stamp_their_times(database: Database) -> None:
    at = {state: NOW + n * timedelta(minutes=1) for n, state in enumerate(RunState)}
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        for state in (RunState.PENDING, RunState.RUNNING, RunState.PAUSED, RunState.RUNNING):
            assert move(tx, key, state, at=at[state])
        running = tx.runs.by_key(key)
        assert tx.runs.move(key, RunState.COMPLETED, at=at[RunState.COMPLETED], actor="test")
        ended = tx.runs.by_key(key)

    assert (running.pending_at, running.started_at) == (at[RunState.PENDING], at[RunState.RUNNING])
    assert running.ended_at is None
    assert ended.ended_at == at[RunState.COMPLETED]


@pytest.mark.parametrize("state", sorted(FINAL - {RunState.SKIPPED, RunState.COMPLETED}))
def test_an_end_keeps_its_reason_and_failure(database: Database, state: RunState) -> None:
    failure = Failure(type="KeyError", message="'region'", file="etl.py", line=7, task="load", traceback="…")
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        tx.runs.move(key, state, at=NOW, actor="test", reason="signal 9", failure=failure)
        run = tx.runs.by_key(key)

    assert (run.reason, run.failure) == ("signal 9", failure)


def test_a_move_without_a_reason_keeps_the_one_that_is_there(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        tx.runs.move(key, RunState.CANCELLING, at=NOW, actor="kim", reason="too slow")
        tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="core")

        assert tx.runs.by_key(key).reason == "too slow"
