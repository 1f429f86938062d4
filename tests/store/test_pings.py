"""What monitors are to be told is written with what it tells of, and kept until it was told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event

from schedulerd.domain.heartbeats import Beat, Heartbeat
from schedulerd.domain.ids import RunKey
from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_schedule
from tests.store.scenes import PATHS, Scene, a_move, a_scene, add, add_in, an_intake, move

URL: Final = "https://hc.example.com/abc"
ALL: Final = Heartbeat(start=URL + "/start", success=URL, failure=URL + "/fail")


def a_monitored_scene(tx: Transaction, heartbeat: Heartbeat | None = ALL, name: str = "etl") -> Scene:
    scene = a_scene(tx, name=name)
    definition = a_schedule(f"{name}-morning", flow=name, heartbeat=heartbeat)
    tx.schedules.put(definition, flow=scene.flow, watermark=NOW, next_due=None, now=NOW)
    return scene


def add_to(tx: Transaction, scene: Scene, slot: str = "06:00") -> RunKey:
    return add(tx, scene.flow, trigger=Trigger.SCHEDULE, schedule=scene.schedule, slot=slot)


def come_to(tx: Transaction, key: RunKey, state: RunState) -> None:
    for step in PATHS[state]:
        assert move(tx, key, step, reason="overlap" if step is state else "")


def told(tx: Transaction) -> list[tuple[str, Beat, str | None]]:
    return [(one.run, one.beat, one.url) for one in tx.pings.waiting(100)]


@contextmanager
def statements() -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield said
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("state", "beats"),
    [
        (RunState.COMPLETED, [Beat.START, Beat.SUCCESS]),
        *((state, [Beat.START, Beat.FAILURE]) for state in (RunState.FAILED, RunState.CRASHED, RunState.TIMED_OUT)),
        (RunState.CANCELLED, [Beat.START]),
        (RunState.RETRYING, [Beat.START]),
        (RunState.SKIPPED, []),
    ],
)  # fmt: skip
def test_each_move_of_which_a_monitor_is_told_leaves_a_ping(
    database: Database, state: RunState, beats: list[Beat]
) -> None:
    with database.write() as tx:
        come_to(tx, add_to(tx, a_monitored_scene(tx)), state)

    with database.read() as tx:
        assert told(tx) == [("etl#1", beat, ALL.url(beat)) for beat in beats]


def test_what_a_journal_tells_leaves_the_same_and_once(database: Database) -> None:
    with database.write() as tx:
        key = add_to(tx, a_monitored_scene(tx))
        move(tx, key, RunState.PENDING)
        moves = (a_move(RunState.RUNNING), a_move(RunState.COMPLETED, at=NOW + A_SECOND))
        for _ in range(2):
            tx.intake.take([an_intake(key, moves=moves)])

    with database.read() as tx:
        assert [(one.beat, one.at) for one in tx.pings.waiting(9)] == [
            (Beat.START, NOW),
            (Beat.SUCCESS, NOW + A_SECOND),
        ]


def test_a_run_that_is_tried_again_has_started_once(database: Database) -> None:
    with database.write() as tx:
        key = add_to(tx, a_monitored_scene(tx))
        come_to(tx, key, RunState.RETRYING)
        for state in (RunState.PENDING, RunState.RUNNING, RunState.COMPLETED):
            assert move(tx, key, state)

        assert [beat for _, beat, _ in told(tx)] == [Beat.START, Beat.SUCCESS]


def test_what_the_schedule_has_no_url_for_is_not_told_and_neither_is_a_run_of_no_schedule(
    database: Database,
) -> None:
    with database.write() as tx:
        scene = a_monitored_scene(tx, Heartbeat(failure=URL))
        come_to(tx, add_to(tx, scene), RunState.COMPLETED)
        add_in(tx, scene.flow, RunState.FAILED)
        add_in(tx, a_monitored_scene(tx, None, name="other").flow, RunState.FAILED)

        assert told(tx) == []


def test_a_transaction_that_fails_leaves_no_ping(database: Database) -> None:
    def fail(tx: Transaction) -> None:
        come_to(tx, add_to(tx, a_monitored_scene(tx)), RunState.FAILED)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.write() as tx:
        fail(tx)

    with database.read() as tx:
        assert told(tx) == []


def test_where_no_schedule_has_a_heartbeat_moves_cost_no_statement_more(database: Database) -> None:
    with database.write() as tx:
        scene = a_monitored_scene(tx, None)
        come_to(tx, add_to(tx, scene, "1"), RunState.COMPLETED)  # it is asked once

    with statements() as without, database.write() as tx:
        come_to(tx, add_to(tx, scene, "2"), RunState.COMPLETED)
    with database.write() as tx:
        a_monitored_scene(tx)
    with statements() as with_one, database.write() as tx:
        come_to(tx, add_to(tx, scene, "3"), RunState.COMPLETED)

    assert [one for one in without if "heartbeat" in one or "pings" in one] == []
    assert len(with_one) == len(without) + 4  # two moves, each with a look and a ping


def test_a_process_that_starts_later_knows_of_it(
    database: Database, open_database: Callable[..., Database]
) -> None:
    with database.write() as tx:
        key = add_to(tx, a_monitored_scene(tx))

    with open_database().write() as tx:
        come_to(tx, key, RunState.COMPLETED)
        assert len(told(tx)) == 2


def test_the_first_of_each_schedule_are_found_however_many_wait_for_another(database: Database) -> None:
    with database.write() as tx:
        many, few = a_monitored_scene(tx), a_monitored_scene(tx, name="few")
        for slot in range(5):
            come_to(tx, add_to(tx, many, str(slot)), RunState.COMPLETED)
        come_to(tx, add_to(tx, few), RunState.FAILED)

        found = [(one.run, one.beat) for one in tx.pings.waiting(3)]

    assert found == [
        ("etl#1", Beat.START),
        ("etl#1", Beat.SUCCESS),
        ("etl#2", Beat.START),
        ("few#1", Beat.START),
        ("few#1", Beat.FAILURE),
    ]


def test_what_came_of_a_try_is_noted_and_what_was_told_is_gone(database: Database) -> None:
    with database.write() as tx:
        come_to(tx, add_to(tx, a_monitored_scene(tx)), RunState.COMPLETED)
        start, success = tx.pings.waiting(9)
        tx.pings.done([start.key])
        later = replace(success, tries=1, next_at=NOW + 5 * A_SECOND, answer="it answered 500")
        tx.pings.note(later)

        assert tx.pings.waiting(9) == [later]


def test_the_url_is_the_one_that_the_schedule_has_now(database: Database) -> None:
    with database.write() as tx:
        come_to(tx, add_to(tx, a_monitored_scene(tx)), RunState.COMPLETED)
        a_monitored_scene(tx, Heartbeat(success="https://other.example.com"))

        assert [url for _, _, url in told(tx)] == [None, "https://other.example.com"]


def test_pings_go_with_a_run_that_is_pruned(database: Database) -> None:
    with database.write() as tx:
        come_to(tx, add_to(tx, a_monitored_scene(tx)), RunState.COMPLETED)
        tx.pruning.page(Retention(runs=timedelta(days=1), keep_per_flow=0), now=NOW + timedelta(days=400))

        assert told(tx) == []
