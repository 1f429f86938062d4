"""Wishes: what people ask of a run waits for the core."""

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import FINAL, RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.store.scenes import a_scene, add, add_in


def test_a_wish_is_there_until_it_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        first, second = add(tx, flow), add(tx, flow)
        tx.runs.ask_cancel(second, at=NOW, actor="kim", reason="too slow")
        tx.runs.ask_cancel(first, at=NOW, actor="lee", reason="")
        wishes = tx.runs.cancel_wishes()
        tx.runs.forget_wish(wishes[0].key)

        assert [(wish.run, wish.at, wish.actor, wish.reason) for wish in wishes] == [
            (second, NOW, "kim", "too slow"),
            (first, NOW, "lee", ""),
        ]
        assert tx.runs.cancel_wishes() == wishes[1:]


def test_a_second_wish_for_a_run_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        tx.runs.ask_cancel(key, at=NOW, actor="kim", reason="first")
        tx.runs.ask_cancel(key, at=NOW, actor="lee", reason="second")

        assert [wish.reason for wish in tx.runs.cancel_wishes()] == ["first"]


def test_that_a_run_be_killed_may_be_wished_of_one_that_is_to_be_cancelled_or_is_being_cancelled(
    database: Database,
) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        wished, cancelling = add(tx, flow), add_in(tx, flow, RunState.CANCELLING)
        tx.runs.ask_cancel(wished, at=NOW, actor="kim", reason="first")
        for key in (wished, cancelling):
            tx.runs.ask_kill(key, at=NOW, actor="lee", reason="second")
        tx.runs.ask_cancel(cancelling, at=NOW, actor="kim", reason="third")
        tx.runs.ask_kill(cancelling, at=NOW, actor="kim", reason="fourth")

        told = [(wish.run, wish.actor, wish.reason, wish.kills) for wish in tx.runs.cancel_wishes()]
        assert told == [(wished, "lee", "second", True), (cancelling, "lee", "second", True)]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_run_that_has_ended_cannot_be_cancelled(database: Database, state: RunState) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, state)

        with pytest.raises(Conflict, match=f"etl#1 .*{state}"):
            tx.runs.ask_cancel(key, at=NOW, actor="kim", reason="")
        with pytest.raises(Conflict, match=f"etl#1 .*{state}"):
            tx.runs.ask_kill(key, at=NOW, actor="kim", reason="")


def test_no_run_no_wish(database: Database) -> None:
    with database.write() as tx, pytest.raises(NotFound):
        tx.runs.ask_cancel(RunKey(9), at=NOW, actor="kim", reason="")
