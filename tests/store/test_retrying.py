"""Runs that are tried again: on each database."""

from datetime import timedelta

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Move, Position, Run
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.errors import Conflict
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import BOOT, NOW, a_new_run
from tests.store.scenes import AGENT, a_scene, claim

LATER = NOW + timedelta(seconds=10)


def failing(tx: Transaction) -> RunKey:
    """A run that is running, with a task that is, too, and something in its journal."""
    scene = a_scene(tx)
    (key,) = tx.runs.add([a_new_run(scene.flow)])
    assert key is not None
    claim(tx, now=NOW)
    running = Move(at=NOW, was=RunState.PENDING, to=RunState.RUNNING, actor="run")
    task = TaskRun(number=1, name="load", state=TaskState.RUNNING, started_at=NOW)
    tx.intake.take(
        [Intake(run=key, was=Position(), now=Position(journal=5), moves=(running,), tasks=(task,), pid=7)]
    )
    return key


def fails_once(tx: Transaction, key: RunKey) -> Intake:
    """Its attempt ends badly, and there is to be another in ten seconds."""
    move = Move(at=NOW, was=RunState.RUNNING, to=RunState.RETRYING, actor="run", message="retry 1 of 2")
    intake = Intake(
        run=key,
        was=Position(journal=5),
        now=Position(journal=9, stdout=3),
        moves=(move,),
        ended_at=NOW,
        reason="retry 1 of 2",
        retry_at=LATER,
    )
    tx.intake.take([intake])
    return intake


def found(database: Database, key: RunKey) -> Run:
    with database.read() as tx:
        return tx.runs.by_key(key)


def test_an_attempt_that_ended_badly_waits_for_its_time_with_fresh_files(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)

    run = found(database, key)
    assert (run.state, run.retry_at, run.ended_at, run.position) == (
        RunState.RETRYING,
        LATER,
        None,
        Position(),
    )
    with database.read() as tx:
        (task,) = tx.tasks.tasks(key)
        assert (task.state, task.ended_at) == (TaskState.CRASHED, NOW)
        assert tx.runs.next_retry(NOW) == LATER
        assert tx.runs.next_retry(LATER) is None


def test_its_last_records_are_taken_once(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        intake = fails_once(tx, key)
        assert tx.intake.take([intake]) == set()
        assert len(tx.runs.moves(key)) == 3


def test_it_is_claimed_at_its_time_as_the_next_attempt(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)
        assert claim(tx, now=LATER - timedelta(microseconds=1)) == []
        (again,) = claim(tx, now=LATER)

    assert (again.key, again.attempt, again.state) == (key, 2, RunState.PENDING)
    assert (again.retry_at, again.reason, again.failure, again.pid) == (None, "", None, None)
    assert (again.agent, again.boot_id) == (AGENT, BOOT)
    with database.read() as tx:
        assert [move.to for move in tx.runs.moves(key)][-2:] == [RunState.RETRYING, RunState.PENDING]


def test_it_goes_before_what_is_new_and_takes_a_place(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)
        tx.runs.add([a_new_run(tx.runs.by_key(key).flow_key)])
        (first,) = claim(tx, now=LATER, max_running=1)

    assert first.key == key


def test_one_that_finds_no_place_waits_on(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)
        tx.runs.add([a_new_run(tx.runs.by_key(key).flow_key)])
        (other,) = claim(tx, now=NOW, max_running=1)
        assert claim(tx, now=LATER, max_running=1) == []
        assert tx.runs.move(other.key, RunState.CRASHED, at=LATER, actor="test")
        (again,) = claim(tx, now=LATER, max_running=1)

    assert (other.attempt, again.key) == (1, key)


def test_one_that_is_cancelled_while_it_waits_is_not_tried_again(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)
        assert tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="kim")
        assert claim(tx, now=LATER) == []

    assert found(database, key).retry_at is None


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.TIMED_OUT, RunState.CRASHED, RunState.CANCELLED])
def test_a_person_may_have_what_ended_badly_tried_again(database: Database, state: RunState) -> None:
    with database.write() as tx:
        key = failing(tx)
        assert tx.runs.move(key, state, at=NOW, actor="test")
        tx.runs.try_again(key, at=LATER, actor="kim", message="by kim")
        asked = tx.runs.by_key(key)
        (again,) = claim(tx, now=LATER)

    assert (asked.state, asked.ended_at, asked.retry_at) == (RunState.RETRYING, None, LATER)
    assert (again.attempt, again.position) == (2, Position())


def test_what_completed_or_goes_on_is_not_tried_again(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        with pytest.raises(Conflict, match="only a run that failed"):
            tx.runs.try_again(key, at=LATER, actor="kim", message="")
        assert tx.runs.move(key, RunState.COMPLETED, at=NOW, actor="test")
        with pytest.raises(Conflict, match="only a run that failed"):
            tx.runs.try_again(key, at=LATER, actor="kim", message="")


def test_how_long_it_took_over_several_attempts_is_no_measure_of_its_flow(database: Database) -> None:
    with database.write() as tx:
        key = failing(tx)
        fails_once(tx, key)
        claim(tx, now=LATER)
        steps = ((RunState.PENDING, RunState.RUNNING), (RunState.RUNNING, RunState.COMPLETED))
        moves = tuple(Move(at=LATER, was=was, to=to, actor="run") for was, to in steps)
        tx.intake.take([Intake(run=key, was=Position(), now=Position(journal=5), moves=moves)])
        run = tx.runs.by_key(key)

        assert (run.state, run.attempt) == (RunState.COMPLETED, 2)
        assert tx.runs.took(run.flow_key) == []
