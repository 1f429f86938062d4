"""Claiming: who starts a run, in which order, within which limits, and what overlap does."""

from datetime import timedelta

import pytest

from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Position, Run, SkipReason
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.database import Database
from tests.builders import A_SECOND, BOOT, NOW, a_file, a_new_run
from tests.store.scenes import AGENT, a_scene, add, add_scheduled, claim

pytestmark = pytest.mark.each_postgres


def test_a_claimed_run_carries_all_that_its_start_needs(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_scheduled(tx, scene)
        tx.flows.put_file(a_file(version="changed"), now=NOW)
        (run,) = claim(tx, now=NOW + A_SECOND)

        assert run == tx.runs.by_key(key)
    assert (run.state, run.pending_at, run.attempt) == (RunState.PENDING, NOW + A_SECOND, 1)
    assert (run.agent, run.boot_id) == (AGENT, BOOT)
    assert run.version_hash == "changed"


def test_a_claim_is_a_move(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        claim(tx)
        (move,) = tx.runs.moves(key)

    assert (move.was, move.to, move.actor, move.at) == (RunState.SCHEDULED, RunState.PENDING, AGENT, NOW)


def test_a_run_is_claimed_once(database: Database) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow)

        assert len(claim(tx)) == 1
        assert claim(tx) == []


def test_what_is_not_yet_due_waits(database: Database) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow, due_at=NOW + A_SECOND)

        assert claim(tx, now=NOW) == []
        assert len(claim(tx, now=NOW + A_SECOND)) == 1


def test_the_oldest_due_comes_first(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        for minutes in (3, 1, 2, 1):
            add(tx, flow, due_at=NOW - timedelta(minutes=minutes))

        assert numbers(claim(tx, 3)) == [1, 3, 2]
        assert numbers(claim(tx, 3)) == [4]


def test_an_agent_never_has_more_runs_than_it_may(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        tx.runs.add([a_new_run(flow) for _ in range(6)])
        first = claim(tx, max_running=2)
        full = claim(tx, max_running=2)
        other = claim(tx, max_running=1, agent="agent-2")
        assert tx.runs.move(first[0].key, RunState.CANCELLED, at=NOW, actor="test")
        after_an_end = claim(tx, max_running=2)
        fewer_than_it_has = claim(tx, max_running=1)

    assert [numbers(runs) for runs in (first, full, other, after_an_end)] == [[1, 2], [], [3], [4]]
    assert fewer_than_it_has == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_claim_of_none_takes_none(database: Database, limit: int) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow)

        assert claim(tx, limit) == []


def test_a_due_time_is_skipped_while_the_last_run_still_runs(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW)
        claim(tx)
        late = add_scheduled(tx, scene, NOW + A_SECOND)
        taken = claim(tx, now=NOW + A_SECOND)
        run, moves = tx.runs.by_key(late), tx.runs.moves(late)

    assert taken == []
    assert (run.state, run.reason, run.ended_at) == (
        RunState.SKIPPED,
        SkipReason.OVERLAP.value,
        NOW + A_SECOND,
    )
    assert [(move.was, move.to) for move in moves] == [(RunState.SCHEDULED, RunState.SKIPPED)]


def test_overlap_is_decided_without_a_free_slot_too(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW)
        claim(tx, max_running=1)
        late = add_scheduled(tx, scene, NOW + A_SECOND)
        waiting = add(tx, scene.flow)
        claim(tx, now=NOW + A_SECOND, max_running=1)

        assert tx.runs.by_key(late).state is RunState.SKIPPED
        assert tx.runs.by_key(waiting).state is RunState.SCHEDULED


def test_a_run_that_is_skipped_leaves_no_task_run_going_on(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW)
        claim(tx)
        late = add_scheduled(tx, scene, NOW + A_SECOND)
        going_on = TaskRun(number=1, name="extract", state=TaskState.RUNNING, started_at=NOW)
        tx.intake.take([Intake(run=late, was=Position(), now=Position(journal=9), tasks=(going_on,))])

        claim(tx, now=NOW + A_SECOND)

        assert tx.runs.by_key(late).state is RunState.SKIPPED
        assert [task.state for task in tx.tasks.tasks(late)] == [TaskState.CRASHED]


def test_of_due_times_claimed_together_the_first_runs(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        for second in range(3):
            add_scheduled(tx, scene, NOW + second * A_SECOND)
        taken = claim(tx, now=NOW + 5 * A_SECOND)
        states = [tx.runs.by_number("etl", number).state for number in (1, 2, 3)]

    assert numbers(taken) == [1]
    assert states == [RunState.PENDING, RunState.SKIPPED, RunState.SKIPPED]


def test_skipped_runs_use_up_no_place_in_the_claim(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        for second in range(3):
            add_scheduled(tx, scene, NOW + second * A_SECOND)
        by_hand = add(tx, scene.flow, due_at=NOW + 4 * A_SECOND)
        taken = claim(tx, 2, now=NOW + 5 * A_SECOND)

    assert [run.key for run in taken][1:] == [by_hand]


def test_a_run_that_waits_for_its_retry_still_goes_on(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_scheduled(tx, scene, NOW)
        claim(tx)
        assert tx.runs.move(key, RunState.RUNNING, at=NOW, actor="test")
        assert tx.runs.move(key, RunState.RETRYING, at=NOW + timedelta(days=1), actor="test")
        late = add_scheduled(tx, scene, NOW + A_SECOND)

        assert claim(tx, now=NOW + A_SECOND) == []
        assert tx.runs.by_key(late).state is RunState.SKIPPED


def test_after_the_end_the_next_due_time_runs(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_scheduled(tx, scene, NOW)
        claim(tx)
        tx.runs.move(key, RunState.CRASHED, at=NOW, actor="test")
        add_scheduled(tx, scene, NOW + A_SECOND)

        assert numbers(claim(tx, now=NOW + A_SECOND)) == [2]


def test_a_schedule_that_allows_overlap_has_it(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=Overlap.ALLOW)
        for second in range(3):
            add_scheduled(tx, scene, NOW + second * A_SECOND)

        assert numbers(claim(tx, now=NOW + A_SECOND)) == [1, 2]
        assert numbers(claim(tx, now=NOW + 2 * A_SECOND)) == [3]


def test_runs_asked_for_by_hand_are_no_overlap(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW)
        tx.runs.add([a_new_run(scene.flow) for _ in range(2)])

        assert len(claim(tx)) == 3


def test_thousands_of_overlapping_due_times_are_skipped_in_one_claim(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW)
        claim(tx)
        due = [NOW + n * A_SECOND for n in range(1, 2_100)]
        tx.runs.add(
            [a_new_run(scene.flow, schedule=scene.schedule, slot=at.isoformat(), due_at=at) for at in due]
        )
        assert claim(tx, now=due[-1]) == []

        assert tx.runs.last("etl", {RunState.SCHEDULED}) is None


def test_thousands_are_claimed_in_one_call(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        tx.runs.add([a_new_run(flow) for _ in range(1_200)])

        assert numbers(claim(tx, 1_100, max_running=5_000)) == list(range(1, 1_101))
        assert len(claim(tx, 1_100, max_running=5_000)) == 100


def numbers(runs: list[Run]) -> list[int]:
    return [run.number for run in runs]
