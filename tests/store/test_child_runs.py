"""Child runs: told by the journals of their roots, found again, and ended with them; on each database."""

from datetime import timedelta
from typing import Any

import pytest

from schedulerd.domain.child_runs import ChildRun, Subflow
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.intakes import Intake
from schedulerd.domain.results import ResultKind
from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import Position, RunFilter
from schedulerd.domain.states import RunState, TaskState
from schedulerd.errors import NotFound
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_line, a_move, a_scene, a_task, add, an_intake, claim, move

HALF, END = Position(journal=100), Position(journal=200)


def an_id(number: int) -> RunId:
    return RunId(uuid7(NOW, entropy=number))


def a_subflow(task: int, **changes: Any) -> Subflow:
    """The flow `load` was called, and runs; this task stands for it."""
    values: dict[str, Any] = {
        "id": an_id(task),
        "flow": "load",
        "name": f"load-{task}",
        "state": RunState.RUNNING,
        "started_at": NOW,
        "parameters": {"region": "kr"},
        "tags": ("nightly",),
    }
    return Subflow(task=task, **(values | changes))


def ended(task: int, state: RunState = RunState.COMPLETED, **changes: Any) -> Subflow:
    """It has ended; how it began is not told again."""
    return a_subflow(
        task, state=state, started_at=None, ended_at=NOW + A_SECOND, parameters=None, tags=(), **changes
    )


def begun(tx: Transaction, *subflows: Subflow, **changes: Any) -> RunKey:
    """A run that has called these flows."""
    key = add(tx, a_scene(tx).flow)
    move(tx, key, RunState.PENDING)
    tx.intake.take([an_intake(key, tasks=(), lines=(), subflows=subflows, **changes)])
    return key


def goes_on(key: RunKey, **changes: Any) -> Intake:
    return Intake(run=key, **({"was": HALF, "now": END} | changes))


def children(tx: Transaction, key: RunKey, within: int | None = None) -> list[ChildRun]:
    return tx.child_runs.of(tx.runs.by_key(key), within=within)


def told(tx: Transaction, key: RunKey) -> list[tuple[str, RunState, str]]:
    return [(one.selector, one.state, one.reason) for one in children(tx, key)]


def test_a_flow_that_is_called_has_a_run_of_its_own(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1))
        tx.intake.take([goes_on(key, subflows=(ended(1, result_preview="5", reason="fine"),))])

        (child,) = children(tx, key)
        root = tx.runs.by_key(key)
    assert (child.id, child.number, child.selector, child.parent) == (an_id(1), 1, "etl#1.1", root.id)
    assert (child.flow, child.name, child.tags, child.parameters) == (
        "load",
        "load-1",
        ("nightly",),
        {"region": "kr"},
    )
    assert (child.state, child.reason, child.result_preview) == (RunState.COMPLETED, "fine", "5")
    assert (child.started_at, child.ended_at) == (NOW, NOW + A_SECOND)
    assert child.duration(now=NOW + timedelta(days=1)) == A_SECOND


def test_a_journal_that_is_read_twice_makes_one_child_run(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1), a_subflow(2))
        tx.intake.take([an_intake(key, tasks=(), lines=(), subflows=(a_subflow(1), a_subflow(2)))])
        # the same records at another place of the journal, as a run that writes them twice would have them
        tx.intake.take([goes_on(key, subflows=(a_subflow(1), ended(1)))])

        assert told(tx, key) == [("etl#1.1", RunState.COMPLETED, ""), ("etl#1.2", RunState.RUNNING, "")]


def test_tasks_and_lines_are_of_the_child_run_in_which_they_were(database: Database) -> None:
    with database.write() as tx:
        inner = a_subflow(1_000_001, within=1)
        tasks = (a_task(1), a_task(1_000_001, within=1), a_task(1_000_002, within=1_000_001, name="deep"))
        lines = (a_line("own"), a_line("of the child", within=1), a_line("of its child", within=1_000_001))
        key = begun(tx, a_subflow(1), inner)
        tx.intake.take([goes_on(key, tasks=tasks, lines=lines)])

        def messages(child: int | None) -> list[str]:
            return [one.line.message for one in tx.logs.lines(key, limit=10, child=child)]

        assert [one.number for one in tx.tasks.tasks(key)] == [1]
        assert [one.number for one in tx.tasks.tasks(key, child=1)] == [1_000_001]
        assert [one.name for one in tx.tasks.tasks(key, child=2)] == ["deep"]
        assert messages(None) == ["own", "of the child", "of its child"]
        assert (messages(1), messages(2)) == (["of the child", "of its child"], ["of its child"])
        assert [one.child_name for one in tx.logs.lines(key, limit=10)] == [None, "load-1", "load-1000001"]
        (outer,), (deep,) = children(tx, key), children(tx, key, within=1)
        assert (deep.selector, deep.parent, deep.root.id) == ("etl#1.2", outer.id, outer.root.id)


def test_what_is_told_of_a_child_run_whose_beginning_was_lost_is_of_the_run(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx)
        tx.intake.take([goes_on(key, tasks=(a_task(5, within=9),), lines=(a_line("orphan", within=9),))])

        assert [one.number for one in tx.tasks.tasks(key)] == [5]
        assert [one.child_name for one in tx.logs.lines(key, limit=10)] == [None]
        assert tx.broken_invariants() == []


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (RunState.FAILED, RunState.CRASHED),
        (RunState.CRASHED, RunState.CRASHED),
        (RunState.TIMED_OUT, RunState.TIMED_OUT),
        (RunState.CANCELLED, RunState.CANCELLED),
        (RunState.RETRYING, RunState.CRASHED),
    ],
)
def test_no_child_run_goes_on_when_its_run_has_ended(
    database: Database, state: RunState, becomes: RunState
) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1), a_subflow(1_000_001, within=1), a_subflow(2))
        at = NOW + 2 * A_SECOND
        end = goes_on(key, subflows=(ended(2),), moves=(a_move(state, at=at),), ended_at=at)
        tx.intake.take([end])

        first, second = children(tx, key)
        (deep,) = children(tx, key, within=1)
        assert [(one.state, one.ended_at) for one in (first, deep)] == [(becomes, at)] * 2
        assert first.reason == "ended with the run that it was part of"
        assert (second.state, second.ended_at) == (RunState.COMPLETED, NOW + A_SECOND)
        assert tx.broken_invariants() == []


def test_a_run_that_is_moved_to_its_end_takes_its_child_runs_along(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1))
        move(tx, key, RunState.CRASHED)

        assert [one.state for one in children(tx, key)] == [RunState.CRASHED]


def tried_again(tx: Transaction, key: RunKey) -> None:
    """Its attempt ends, and another begins."""
    at = NOW + 2 * A_SECOND
    moves = (a_move(RunState.RETRYING, at=at),)
    tx.intake.take([goes_on(key, moves=moves, ended_at=at, retry_at=at)])
    (claimed,) = claim(tx, now=at)
    assert (claimed.key, claimed.attempt) == (key, 2)


def test_another_attempt_has_other_child_runs_and_those_of_the_first_stay(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1), ended(1, RunState.FAILED))
        tried_again(tx, key)
        again = a_subflow(1, id=an_id(7))
        tx.intake.take([an_intake(key, tasks=(), lines=(a_line("now", within=1),), subflows=(again,))])

        first, second = children(tx, key)
        assert [(one.number, one.of_attempt, one.state) for one in (first, second)] == [
            (1, 1, RunState.FAILED),
            (2, 2, RunState.RUNNING),
        ]
        assert [one.line.message for one in tx.logs.lines(key, limit=10, child=2)] == ["now"]


def test_a_child_run_that_completed_stands_in_the_next_attempt_too(database: Database) -> None:
    with database.write() as tx:
        done = ended(1, call="- 0 load/", kept=ResultKind.PREVIEW)
        key = begun(tx, a_subflow(1), done)
        tried_again(tx, key)
        known = Subflow(
            task=3, id=None, flow="load", name="load-1", state=RunState.COMPLETED, call="- 0 load/"
        )
        tx.intake.take([an_intake(key, tasks=(), lines=(), subflows=(known,))])

        (child,) = children(tx, key)
        assert (child.id, child.of_attempt, child.task) == (an_id(1), 2, 3)
        assert (child.state, child.started_at) == (RunState.COMPLETED, NOW)


def test_a_run_that_is_tried_anew_knows_no_calls(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1), ended(1, call="- 0 load/", kept=ResultKind.PREVIEW))
        tx.results.forget(key)

        assert [(one.call, one.kept) for one in children(tx, key)] == [(None, None)]


def test_child_runs_are_in_no_list_of_runs_and_hold_no_place(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, max_running=2)
        key = begun(tx, a_subflow(1, flow="etl"), a_subflow(2, flow="etl"))
        waiting = add(tx, scene.flow)

        assert [one.key for one in tx.runs.list(RunFilter())] == [waiting, key]
        assert [one.key for one in tx.runs.live()] == [key]
        assert [one.key for one in claim(tx, max_running=2)] == [waiting]


def test_child_runs_are_found_by_what_is_wanted_of_them(database: Database) -> None:
    with database.write() as tx:
        late = a_subflow(2, flow="report", name="report", started_at=NOW + A_SECOND)
        key = begun(tx, a_subflow(1), late, a_subflow(3, id=an_id(2**70)))

        def found(**wanted: Any) -> list[int]:
            return [one.number for one in tx.child_runs.newest(RunFilter(**wanted))]

        assert found() == [2, 3, 1]
        assert found(limit=1) == [2]
        assert found(flows=("report",)) == [2]
        assert found(states=frozenset({RunState.COMPLETED})) == []
        assert found(since=NOW + A_SECOND) == [2]
        assert found(until=NOW + A_SECOND) == [3, 1]
        assert found(text="REPORT") == [2]
        assert [one.number for one in tx.child_runs.find(str(an_id(2**70)))] == [3]
        assert [one.number for one in tx.child_runs.find(str(an_id(1))[:13])] == [1, 2, 3]
        assert tx.child_runs.find("etl") == []
        assert tx.child_runs.count(key) == 3
        with pytest.raises(NotFound):
            tx.child_runs.numbered(tx.runs.by_key(key), 4)


def test_child_runs_go_with_their_run(database: Database) -> None:
    with database.write() as tx:
        key = begun(tx, a_subflow(1), ended(1))
        tx.intake.take([goes_on(key, moves=(a_move(RunState.COMPLETED),), ended_at=NOW)])
        old = Retention(runs=timedelta(days=1), logs=timedelta(days=1), keep_per_flow=0)
        removed = tx.pruning.page(old, now=NOW + timedelta(days=2))

        assert removed.runs == 1
        assert tx.child_runs.count(key) == 0
        assert tx.broken_invariants() == []


def test_a_thousand_of_them_come_in_one_step(database: Database) -> None:
    with database.write() as tx:
        told_of = [one for task in range(1, 1_201) for one in (a_subflow(task), ended(task))]
        tasks = tuple(a_task(task, TaskState.COMPLETED, ended_at=NOW) for task in range(1, 1_201))
        key = begun(tx, *told_of)
        more = goes_on(key, now=Position(journal=100_000), tasks=tasks, subflows=tuple(told_of))
        tx.intake.take([more])

        assert tx.child_runs.count(key) == 1_200
        assert {one.state for one in children(tx, key)} == {RunState.COMPLETED}


def test_a_run_that_was_asked_for_knows_the_first_above_it(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        top = add(tx, scene.flow)
        claim(tx)
        middle = add(tx, scene.flow, parent=top)
        low = add(tx, scene.flow, parent=middle)
        orphan = add(tx, scene.flow, parent=RunKey(99))

        claimed = {one.key: one for one in claim(tx)}
        root = tx.runs.by_key(top)
        assert (claimed[middle].root, claimed[low].root) == (root.id, root.id)
        assert tx.runs.to_prepare(low) == claimed[low]
        assert (claimed[orphan].parent, claimed[orphan].root) == (None, None)
        assert [one.key for one in tx.runs.asked_for_by(middle)] == [low]
