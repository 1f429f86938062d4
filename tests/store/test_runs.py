"""Runs: recorded at most once, and found again."""

from datetime import timedelta
from uuid import UUID

import pytest

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.runs import NewRun, RunFilter, SkipReason, Trigger
from schedulerd.domain.states import BAD, FINAL, LIVE, RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW, a_command, a_new_run, a_run, a_run_id
from tests.store.scenes import AGENT, Scene, a_running_run, a_scene, add, add_in, add_scheduled, claim


def slots(scene: Scene, count: int, *, start: int = 0) -> list[NewRun]:
    """A run for each of so many seconds of a schedule."""
    return [
        a_new_run(
            scene.flow,
            trigger=Trigger.SCHEDULE,
            schedule=scene.schedule,
            slot=(NOW + n * A_SECOND).isoformat(),
            due_at=NOW + n * A_SECOND,
        )
        for n in range(start, start + count)
    ]


def test_a_run_comes_back_as_it_was_recorded(database: Database) -> None:
    run_id = a_run_id()
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_scheduled(tx, scene, id=run_id, parameters={"지역": ["kr", None, 1.5, {"a": True}]})
        run = tx.runs.by_key(key)

    assert run == a_run(
        key=key,
        id=run_id,
        flow_key=scene.flow,
        trigger=Trigger.SCHEDULE,
        schedule="etl-morning",
        schedule_key=scene.schedule,
        slot=NOW.isoformat(),
        parameters={"지역": ["kr", None, 1.5, {"a": True}]},
    )


def test_a_skipped_due_time_is_a_run_that_has_ended(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add_scheduled(tx, scene, state=RunState.SKIPPED, reason=SkipReason.MISFIRE.value)
        run = tx.runs.by_key(key)

    assert (run.state, run.reason, run.ended_at) == (RunState.SKIPPED, "misfire", NOW)


def test_numbers_count_the_runs_of_each_flow_from_1(database: Database) -> None:
    with database.write() as tx:
        one, two = a_scene(tx, name="one"), a_scene(tx, name="two")
        keys = tx.runs.add([a_new_run(flow) for flow in (one.flow, two.flow, one.flow)])
        keys += tx.runs.add([a_new_run(one.flow)])
        selectors = [tx.runs.by_key(key).selector for key in keys if key is not None]

    assert selectors == ["one#1", "two#1", "one#2", "one#3"]


def test_a_repeated_slot_leaves_no_row_and_takes_no_number(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        first = tx.runs.add(slots(scene, 3))
        again = tx.runs.add(slots(scene, 4))
        runs = tx.runs.list(RunFilter())

    assert None not in first
    assert again[:3] == [None, None, None]
    assert again[3] is not None
    assert [run.number for run in runs] == [4, 3, 2, 1]


def test_a_slot_repeated_within_one_call_counts_once(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = tx.runs.add([*slots(scene, 2), *slots(scene, 2)])

    assert [key is None for key in keys] == [False, False, True, True]


def test_the_same_slot_of_another_schedule_is_another_run(database: Database) -> None:
    with database.write() as tx:
        one, two = a_scene(tx, name="one"), a_scene(tx, name="two")

        assert None not in tx.runs.add(slots(one, 1) + slots(two, 1))


def test_an_idempotency_key_gives_one_run(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = tx.runs.add([a_new_run(scene.flow, idempotency_key=key) for key in ("a", "b", "a")])
        again = tx.runs.add([a_new_run(scene.flow, idempotency_key="b"), a_new_run(scene.flow)])

    assert [key is None for key in keys] == [False, False, True]
    assert [key is None for key in again] == [True, False]


def test_thousands_are_recorded_in_one_call(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        first = tx.runs.add(slots(scene, 2_500))
        again = tx.runs.add(slots(scene, 2_500, start=100))

    assert None not in first
    assert [key is None for key in again] == [True] * 2_400 + [False] * 100


def test_recording_nothing_is_nothing(database: Database) -> None:
    with database.write() as tx:
        assert tx.runs.add([]) == []


def test_a_repeated_id_is_refused_whole(database: Database) -> None:
    run_id = a_run_id()
    with database.write() as tx:
        scene = a_scene(tx)
        add(tx, scene.flow, id=run_id)

    with pytest.raises(Conflict), database.write() as tx:
        tx.runs.add([a_new_run(scene.flow), a_new_run(scene.flow, id=run_id)])

    with database.read() as tx:
        assert len(tx.runs.list(RunFilter())) == 1


def test_what_was_raised_in_a_transaction_undoes_it(database: Database) -> None:
    with pytest.raises(NotFound), database.write() as tx:  # noqa: PT012
        a_scene(tx)
        tx.runs.by_number("etl", 9)

    with database.read() as tx:
        assert tx.flows.all() == []


def test_several_runs_are_found_by_their_ids(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        first, _, last = (tx.runs.by_key(add(tx, scene.flow)) for _ in range(3))

        assert tx.runs.of_ids([first.id, a_run_id(), last.id, first.id]) == [last, first]
        assert tx.runs.of_ids([]) == []


def test_runs_of_all_flows_are_found_by_their_number_alone(database: Database) -> None:
    with database.write() as tx:
        etl, load = a_scene(tx).flow, tx.flows.put_command(a_command("load", "true"), now=NOW)
        gone = tx.flows.put_command(a_command("gone", "true"), now=NOW)
        add(tx, gone)
        tx.flows.remove_command("gone", now=NOW)
        for flow in (etl, etl, load):
            add(tx, flow)

        assert [run.selector for run in tx.runs.numbered(1, limit=9)] == ["load#1", "etl#1"]
        assert [run.selector for run in tx.runs.numbered(1, limit=1)] == ["load#1"]
        assert tx.runs.numbered(3, limit=9) == []


def test_a_run_is_found_by_id_key_and_number(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        run = tx.runs.by_key(key)

        assert tx.runs.get(run.id) == run
        assert tx.runs.by_number("etl", 1) == run


def test_a_run_that_is_not_there_is_not_found(database: Database) -> None:
    with database.read() as tx:
        with pytest.raises(NotFound):
            tx.runs.get(a_run_id())
        with pytest.raises(NotFound):
            tx.runs.by_key(RunKey(1))
        with pytest.raises(NotFound, match="etl#1"):
            tx.runs.by_number("etl", 1)


def test_a_run_is_found_by_how_its_id_begins(database: Database) -> None:
    ids = [
        RunId(UUID(text))
        for text in (
            "01aab6c2-c580-7000-8000-00000000000a",
            "01aab6c2-c580-7fff-8000-00000000000b",
            "01aab6c3-0000-7000-8000-00000000000c",
        )
    ]
    with database.write() as tx:
        flow = a_scene(tx).flow
        tx.runs.add([a_new_run(flow, id=run_id) for run_id in ids])
        found = {
            prefix: [ids.index(run.id) for run in tx.runs.find(prefix)]
            for prefix in (
                "01aab6c2",
                "01AAB6C2-C580-7f",
                "01aab6",
                str(ids[2]),
                "ff",
                "etl",
                "",
                "0" * 33,
            )
        }

    assert found == {
        "01aab6c2": [0, 1],
        "01AAB6C2-C580-7f": [1],
        "01aab6": [0, 1, 2],
        str(ids[2]): [2],
        "ff": [],
        "etl": [],
        "": [0, 1, 2],
        "0" * 33: [],
    }


def test_pages_of_runs_join_without_gap_or_overlap(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = tx.runs.add([a_new_run(scene.flow) for _ in range(25)])
        pages, before = [], None
        while page := tx.runs.list(RunFilter(limit=10, before=before)):
            pages.append([run.key for run in page])
            before = page[-1].key

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [key for page in pages for key in page] == keys[::-1]


FILTERS = {
    "everything": (RunFilter(), "one#1 one#2 one#3 two#1 two#2"),
    "a flow": (RunFilter(flows=("two",)), "two#1 two#2"),
    "flows": (RunFilter(flows=("two", "one", "none")), "one#1 one#2 one#3 two#1 two#2"),
    "no such flow": (RunFilter(flows=("none",)), ""),
    "states": (RunFilter(states=frozenset({RunState.FAILED, RunState.RUNNING})), "one#2 two#1"),
    "a schedule": (RunFilter(schedule="two-morning"), "two#2"),
    "since": (RunFilter(since=NOW + A_SECOND), "one#3"),
    "until": (RunFilter(until=NOW + A_SECOND), "one#1 one#2 two#1 two#2"),
    "text in a flow's name": (RunFilter(text="TWO"), "two#1 two#2"),
    "text in the parameters": (RunFilter(text="서울"), "one#1"),
    "text with a wildcard": (RunFilter(text="%"), ""),
    "several at once": (RunFilter(flows=("one",), states=FINAL), "one#2"),
    "a limit": (RunFilter(limit=2), "two#1 two#2"),
}


@pytest.mark.parametrize(("wanted", "expected"), FILTERS.values(), ids=FILTERS.keys())
def test_runs_are_listed_by(database: Database, wanted: RunFilter, expected: str) -> None:
    with database.write() as tx:
        one, two = a_scene(tx, name="one"), a_scene(tx, name="two")
        add(tx, one.flow, parameters={"city": "서울"})
        add_in(tx, one.flow, RunState.FAILED)
        add(tx, one.flow, created_at=NOW + A_SECOND)
        add_in(tx, two.flow, RunState.RUNNING)
        add_scheduled(tx, two)

        listed = tx.runs.list(wanted)

    assert sorted(run.selector for run in listed) == expected.split()
    assert [run.key for run in listed] == sorted((run.key for run in listed), reverse=True)


def test_the_last_run_is_the_newest_that_fits(database: Database) -> None:
    with database.write() as tx:
        one, two = a_scene(tx, name="one"), a_scene(tx, name="two")
        add_in(tx, one.flow, RunState.FAILED)
        add_in(tx, one.flow, RunState.COMPLETED)
        add_in(tx, two.flow, RunState.COMPLETED)
        found = [
            tx.runs.last(),
            tx.runs.last("one"),
            tx.runs.last("one", BAD),
            tx.runs.last(states=BAD),
            tx.runs.last("two", BAD),
        ]

    assert [run and run.selector for run in found] == ["two#1", "one#2", "one#1", "one#1", None]


def test_live_runs_are_those_that_hold_a_slot(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        for state in RunState:
            add_in(tx, flow, state)

        assert {run.state for run in tx.runs.live()} == LIVE


def test_live_runs_belong_to_their_agent(database: Database) -> None:
    with database.write() as tx:
        run = a_running_run(tx, a_scene(tx))
        add(tx, run.flow_key)
        (other,) = claim(tx, agent="agent-2")

        assert [live.key for live in tx.runs.live(AGENT)] == [run.key]
        assert [live.key for live in tx.runs.live("agent-2")] == [other.key]
        assert len(tx.runs.live()) == 2


@pytest.mark.parametrize("text", ["nul \x00 here", "half \ud83d here"], ids=["NUL", "half a surrogate pair"])
def test_what_no_database_takes_becomes_a_mark(database: Database, text: str) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add(tx, scene.flow, parameters={"text": text}, idempotency_key=text)
        stored = tx.runs.by_key(key).parameters["text"]

    assert stored in (text, text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd"))


def test_a_long_wait_for_a_due_time_is_no_trouble(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        key = add(tx, scene.flow, due_at=NOW + timedelta(days=36_500))

        assert tx.runs.by_key(key).due_at == NOW + timedelta(days=36_500)
        assert claim(tx) == []
