"""Overlap in the claim: who waits for whom, who is skipped, and who is told to end."""

from datetime import timedelta

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_new_run, a_schedule
from tests.store.scenes import AGENT, Scene, a_scene, add_scheduled, claim

LATER = NOW + timedelta(hours=1)


def queueing(limit: int = 1) -> Policies:
    return Policies(overlap=Overlap.QUEUE, queue_limit=limit)


REPLACING = Policies(overlap=Overlap.REPLACE)


def due(tx: Transaction, scene: Scene, second: int, *, caught_up: bool = False) -> RunKey:
    """A run of the schedule that is due so many seconds from NOW."""
    return add_scheduled(tx, scene, NOW + second * A_SECOND, caught_up=caught_up)


def end(tx: Transaction, key: RunKey) -> None:
    """The run is cancelled, from whatever it was."""
    if tx.runs.by_key(key).state is not RunState.CANCELLING:
        assert tx.runs.move(key, RunState.CANCELLING, at=NOW, actor="test")
    assert tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="test")


def keys(taken: list[Run]) -> list[RunKey]:
    return [run.key for run in taken]


def story(tx: Transaction, key: RunKey) -> tuple[str, str, str]:
    """How a run stands, why, and what its last move says."""
    run, moves = tx.runs.by_key(key), tx.runs.moves(key)
    waits = tx.waiting.told([run], now=LATER)
    return run.state.value, waits.get(key, run.reason), moves[-1].message if moves else ""


# -- skip -----------------------------------------------------------------------------------------------------------


def test_a_skip_says_which_run_was_in_the_way(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        due(tx, scene, 0)
        claim(tx)
        late = due(tx, scene, 1)
        claim(tx, now=LATER)

        assert story(tx, late) == ("skipped", "overlap", "etl#1 was running")


# -- queue ----------------------------------------------------------------------------------------------------------


def test_a_queued_run_waits_says_for_whom_and_starts_when_that_has_ended(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        first = due(tx, scene, 0)
        claim(tx)
        second = due(tx, scene, 1)
        assert claim(tx, now=LATER) == []
        waiting = story(tx, second)

        end(tx, first)
        taken = claim(tx, now=LATER)

        assert waiting == ("scheduled", "queued behind etl#1", "")
        assert keys(taken) == [second]
        assert story(tx, second) == ("pending", "", "")


def test_a_full_queue_skips_the_newest(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing(2))
        runs = [due(tx, scene, second) for second in range(4)]
        claim(tx, now=NOW)
        claim(tx, now=LATER)

        assert [story(tx, run)[:2] for run in runs] == [
            ("pending", ""),
            ("scheduled", "queued behind etl#1"),
            ("scheduled", "queued behind etl#2"),
            ("skipped", "queue-full"),
        ]
        assert story(tx, runs[3])[2] == "2 waited for etl#1 already"


def test_a_queue_has_room_again_when_the_oldest_has_left_it(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        first, second = due(tx, scene, 0), due(tx, scene, 1)
        claim(tx, now=LATER)
        end(tx, first)
        assert keys(claim(tx, now=LATER)) == [second]
        third, fourth = due(tx, scene, 2), due(tx, scene, 3)
        claim(tx, now=LATER)

        assert story(tx, third)[:2] == ("scheduled", "queued behind etl#2")
        assert story(tx, fourth)[1] == "queue-full"


def test_a_run_that_waits_for_a_slot_and_not_for_another_run_is_not_queued(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        runs = [due(tx, scene, second) for second in range(3)]
        assert claim(tx, now=LATER, max_running=0) == []

        assert [story(tx, run) for run in runs] == [("scheduled", "", "")] * 3


def test_a_queued_run_that_is_cancelled_forgets_what_it_waited_for(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        second = [due(tx, scene, n) for n in (0, 1)][1]
        claim(tx, now=LATER)
        tx.runs.move(second, RunState.CANCELLED, at=LATER, actor="kim")

        assert story(tx, second) == ("cancelled", "", "")


# -- replace --------------------------------------------------------------------------------------------------------


def test_a_run_is_told_to_end_for_the_next_which_waits_until_it_has(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        first = due(tx, scene, 0)
        claim(tx)
        second = due(tx, scene, 1)
        assert claim(tx, now=LATER) == []
        (wish,) = tx.runs.cancel_wishes()
        assert story(tx, second) == ("scheduled", "replaces etl#1", "")

        end(tx, first)

        assert keys(claim(tx, now=LATER)) == [second]
        assert (wish.run, wish.actor, wish.reason) == (first, AGENT, "replaced by etl#2")


def test_while_one_waits_to_replace_a_newer_one_takes_its_place(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        first = due(tx, scene, 0)
        claim(tx)
        second = due(tx, scene, 1)
        claim(tx, now=LATER)
        third = due(tx, scene, 2)
        claim(tx, now=LATER)
        end(tx, first)

        assert keys(claim(tx, now=LATER)) == [third]
        assert story(tx, second) == ("skipped", "replaced", "replaced by etl#3")


def test_a_run_that_is_ending_is_not_told_again(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        first = due(tx, scene, 0)
        claim(tx)
        tx.runs.move(first, RunState.CANCELLING, at=NOW, actor="kim", reason="cancelled by kim")
        due(tx, scene, 1)
        claim(tx, now=LATER)

        assert tx.runs.cancel_wishes() == []
        assert tx.runs.by_key(first).reason == "cancelled by kim"


def test_of_several_that_come_together_only_the_newest_starts(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        runs = [due(tx, scene, second) for second in range(3)]

        assert keys(claim(tx, 1, now=LATER)) == [runs[2]]
        assert [story(tx, run)[1:] for run in runs[:2]] == [("replaced", "replaced by etl#3")] * 2
        assert tx.runs.cancel_wishes() == []


def test_thousands_that_come_together_become_one(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        moments = [NOW + n * A_SECOND for n in range(2_100)]
        tx.runs.add(
            [a_new_run(scene.flow, schedule=scene.schedule, slot=at.isoformat(), due_at=at) for at in moments]
        )

        assert [run.number for run in claim(tx, now=LATER)] == [2_100]
        assert tx.runs.last("etl", {RunState.SCHEDULED}) is None


# -- catching up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlap", Overlap)
def test_what_makes_up_for_missed_times_runs_one_after_the_other(
    database: Database, overlap: Overlap
) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=overlap)
        runs = [due(tx, scene, second, caught_up=True) for second in range(3)]
        started = []
        while taken := claim(tx, now=LATER):
            started.append(keys(taken))
            end(tx, taken[0].key)

        assert started == [[run] for run in runs]


AMONG_THEM = {
    Overlap.SKIP: (["etl#1", "etl#2", "etl#3"], "skipped"),
    Overlap.QUEUE: (["etl#1", "etl#2", "etl#3", "etl#4"], "cancelled"),
    Overlap.ALLOW: (["etl#1 etl#4", "etl#2", "etl#3"], "cancelled"),
    Overlap.REPLACE: (["etl#1", "etl#4", "etl#2", "etl#3"], "cancelled"),
}


@pytest.mark.parametrize(
    ("overlap", "order", "became"),
    [(overlap, *wanted) for overlap, wanted in AMONG_THEM.items()],
    ids=AMONG_THEM,
)
def test_a_time_that_is_due_while_others_are_made_up_for_follows_the_policy(
    database: Database, overlap: Overlap, order: list[str], became: str
) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=overlap)
        for second in range(3):
            due(tx, scene, second, caught_up=True)
        started = [claim(tx, now=NOW + 2 * A_SECOND)]
        on_time = due(tx, scene, 9)
        started[0] += claim(tx, now=LATER)
        while taken := started[-1]:
            for run in taken:
                end(tx, run.key)
            started.append(claim(tx, now=LATER))

        assert [" ".join(run.selector for run in taken) for taken in started[:-1]] == order
        assert tx.runs.by_key(on_time).state == became


def test_making_up_takes_no_room_in_the_queue(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        for second in range(3):
            due(tx, scene, second, caught_up=True)
        on_time = due(tx, scene, 9)
        claim(tx, now=LATER)

        assert story(tx, on_time) == ("scheduled", "queued behind etl#3", "")


# -- whatever the policy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE, Overlap.REPLACE])
def test_a_run_of_another_schedule_of_the_flow_is_no_overlap(database: Database, overlap: Overlap) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=overlap)
        other = tx.schedules.put(
            a_schedule("etl-evening"), flow=scene.flow, watermark=NOW, next_due=None, now=NOW
        )
        mine = due(tx, scene, 0)
        theirs = due(tx, Scene(flow=scene.flow, schedule=other), 0)

        assert keys(claim(tx)) == [mine, theirs]


@pytest.mark.parametrize(
    ("overlap", "became"),
    [(Overlap.QUEUE, "scheduled"), (Overlap.REPLACE, "scheduled"), (Overlap.SKIP, "skipped")],
)
def test_a_run_that_waits_for_its_retry_is_in_the_way(
    database: Database, overlap: Overlap, became: str
) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=overlap)
        first = due(tx, scene, 0)
        claim(tx)
        assert tx.runs.move(first, RunState.RUNNING, at=NOW, actor="test")
        assert tx.runs.move(first, RunState.RETRYING, at=NOW + timedelta(days=1), actor="test")
        second = due(tx, scene, 1)

        assert claim(tx, now=LATER) == []
        assert tx.runs.by_key(second).state == became


@pytest.mark.parametrize(
    ("policies", "became"),
    [
        (Policies(overlap=Overlap.SKIP), ("skipped", "overlap")),
        (Policies(overlap=Overlap.ALLOW), ("pending", "")),
        (REPLACING, ("scheduled", "replaces etl#1")),
        (queueing(0), ("skipped", "queue-full")),
        (queueing(5), ("scheduled", "queued behind etl#1")),
    ],
    ids=["skip", "allow", "replace", "no queue", "longer queue"],
)
def test_what_waits_is_decided_again_when_the_policy_is_edited(
    database: Database, policies: Policies, became: tuple[str, str]
) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing())
        waiting = [due(tx, scene, n) for n in (0, 1)][1]
        claim(tx, now=LATER)
        definition = a_schedule("etl-morning", flow="etl", policies=policies)
        tx.schedules.put(definition, flow=scene.flow, watermark=NOW, next_due=None, now=LATER)
        claim(tx, now=LATER)

        assert story(tx, waiting)[:2] == became


def test_runs_that_wait_hold_up_no_others(database: Database) -> None:
    with database.write() as tx:
        waiting = a_scene(tx, name="waiting", policies=queueing(50))
        for second in range(40):
            due(tx, waiting, second)
        other = a_scene(tx, name="other")
        run = due(tx, other, 60)

        assert [run.selector for run in claim(tx, 2, now=LATER)] == ["waiting#1", "other#1"]
        assert tx.runs.by_key(run).state is RunState.PENDING
