"""Hooks that are to be called: owed with the move that ends a run, and done once. On each database."""

from dataclasses import replace

import pytest

from schedulerd.domain.hooks import DueHooks
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Move, Position
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import BOOT, NOW, a_file, a_flow, a_new_run
from tests.store.scenes import AGENT, claim

ON_FAILURE = frozenset({RunState.FAILED, RunState.TIMED_OUT})
OTHER_BOOT = "6f3b71de-9d5d-4b1f-8b44-4d7d2f9c2c22"


def claimed(tx: Transaction, *, hooks: frozenset[RunState] = ON_FAILURE) -> RunKey:
    """A run that was claimed, of a flow that has these hooks."""
    (flow,) = tx.flows.put_file(a_file(a_flow(hooks=hooks)), now=NOW)
    (key,) = tx.runs.add([a_new_run(flow)])
    assert key is not None
    claim(tx, now=NOW)
    return key


def ends(tx: Transaction, key: RunKey, to: RunState, message: str = "") -> None:
    """Its journal says that it ran, and came to this."""
    moves = (
        Move(at=NOW, was=RunState.PENDING, to=RunState.RUNNING, actor="run"),
        Move(at=NOW, was=RunState.RUNNING, to=to, actor="run", message=message),
    )
    tx.intake.take([Intake(run=key, was=Position(), now=Position(journal=9), moves=moves, started_at=NOW)])


def due(database: Database) -> list[DueHooks]:
    with database.read() as tx:
        assert tx.broken_invariants() == []
        return tx.hooks.due(AGENT, limit=10)


@pytest.mark.parametrize("to", [RunState.FAILED, RunState.TIMED_OUT])
def test_a_run_whose_journal_ends_so_owes_its_hooks(database: Database, to: RunState) -> None:
    with database.write() as tx:
        key = claimed(tx)
        ends(tx, key, to, "ValueError: x")

    (one,) = due(database)

    assert one == DueHooks(
        run=key,
        id=one.id,
        selector="etl#1",
        number=3,
        attempt=1,
        state=to,
        message="ValueError: x",
        at=NOW,
        version_hash="ab" * 32,
        boot_id=None,
    )


def test_a_run_that_ends_in_a_state_without_hooks_owes_nothing(database: Database) -> None:
    with database.write() as tx:
        ends(tx, claimed(tx), RunState.COMPLETED)
        ends(tx, claimed(tx, hooks=frozenset()), RunState.FAILED)

    assert due(database) == []


def test_a_run_that_ends_without_a_process_owes_its_hooks_too(database: Database) -> None:
    with database.write() as tx:
        key = claimed(tx, hooks=frozenset({RunState.CRASHED}))
        tx.runs.move(key, RunState.CRASHED, at=NOW, actor="recovery", message="machine restarted")

    (one,) = due(database)

    assert (one.state, one.message, one.number) == (RunState.CRASHED, "machine restarted", 2)


def test_an_attempt_that_is_not_the_last_owes_nothing(database: Database) -> None:
    with database.write() as tx:
        ends(tx, claimed(tx), RunState.RETRYING)

    assert due(database) == []


def test_a_run_that_was_never_claimed_owes_nothing(database: Database) -> None:
    with database.write() as tx:
        (flow,) = tx.flows.put_file(
            a_file(a_flow(hooks=frozenset({RunState.CANCELLED}))),
            now=NOW,
        )
        (key,) = tx.runs.add([a_new_run(flow)])
        assert key is not None
        tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="kim")

    assert due(database) == []


def test_the_hooks_are_those_of_the_version_that_was_claimed(database: Database) -> None:
    with database.write() as tx:
        key = claimed(tx)
        tx.flows.put_file(a_file(a_flow(), version="cd" * 32), now=NOW)
        ends(tx, key, RunState.FAILED)

    (one,) = due(database)

    assert one.version_hash == "ab" * 32


def test_a_run_that_a_person_has_tried_again_owes_hooks_for_each_of_its_ends(database: Database) -> None:
    with database.write() as tx:
        key = claimed(tx, hooks=frozenset({RunState.FAILED, RunState.CANCELLED}))
        ends(tx, key, RunState.FAILED)
        tx.runs.try_again(key, at=NOW, actor="kim", message="again")
        tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="kim")

    assert [(one.number, one.attempt, one.state) for one in due(database)] == [
        (3, 1, RunState.FAILED),
        (5, 1, RunState.CANCELLED),
    ]


def test_they_are_taken_for_one_boot_and_done_once(database: Database) -> None:
    with database.write() as tx:
        ends(tx, claimed(tx), RunState.FAILED)
    (one,) = due(database)

    with database.write() as tx:
        tx.hooks.take([one], boot_id=BOOT)
        tx.hooks.take([one], boot_id=OTHER_BOOT)
    assert due(database) == [replace(one, boot_id=BOOT)]
    with database.write() as tx:
        assert tx.hooks.done(one)
        assert not tx.hooks.done(one)

    assert due(database) == []


def test_another_agent_calls_its_own(database: Database) -> None:
    with database.write() as tx:
        ends(tx, claimed(tx), RunState.FAILED)

    with database.read() as tx:
        assert tx.hooks.due("agent-2", limit=10) == []
