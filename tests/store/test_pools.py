"""Places: pools, limits of flows and priorities in the claim, and what a run that waits says."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import After, Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.claiming import ACTIVE_RUNS
from schedulerd.store.database import Database
from schedulerd.store.strands import _FIRST_OF_LINES, _FIRST_OF_STRANDS
from schedulerd.store.tables import AnySelect
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, BOOT, NOW, a_command, a_file, a_flow, a_new_run, a_schedule
from tests.store.scenes import AGENT, a_scene, add, add_scheduled, claim

LATER = NOW + timedelta(hours=1)
DATABASE = {"database": 2}


def names(taken: list[Run]) -> list[str]:
    return [run.selector for run in taken]


def several(tx: Transaction, name: str, count: int, **options: object) -> list[RunKey]:
    """Runs of a flow with these options, asked for by hand."""
    flow = a_scene(tx, name=name, **options).flow  # type: ignore[arg-type]
    return [add(tx, flow, due_at=NOW + second * A_SECOND) for second in range(count)]


def tell_limits(tx: Transaction, *, max_running: int = 16, pools: Mapping[str, int] = DATABASE) -> None:
    """The agent says by which limits it goes."""
    status = {"max_running": max_running, "pools": dict(pools)}
    tx.agents.beat(
        AgentBeat(
            name=AGENT,
            host="here",
            pid=1,
            version="1",
            boot_id=BOOT,
            started_at=NOW,
            beat_at=NOW,
            status=status,
        )
    )


def waits_for(tx: Transaction, key: RunKey) -> str:
    """What a run says that it waits for."""
    return tx.waiting.told([tx.runs.by_key(key)], now=LATER).get(key, "")


# -- how many -------------------------------------------------------------------------------------------------------


def test_a_pool_has_so_many_places_for_all_flows_that_name_it(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 2, pool="database")
        several(tx, "report", 2, pool="database")

        assert names(claim(tx, now=LATER, pools=DATABASE)) == ["etl#1", "report#1"]
        assert claim(tx, now=LATER, pools=DATABASE) == []


@pytest.mark.parametrize("end", [RunState.CANCELLED, RunState.CRASHED])
def test_a_place_is_free_when_its_run_has_ended_however(database: Database, end: RunState) -> None:
    with database.write() as tx:
        several(tx, "etl", 3, pool="database")
        first, _ = claim(tx, now=LATER, pools=DATABASE)
        assert tx.runs.move(first.key, end, at=LATER, actor="test")

        assert names(claim(tx, now=LATER, pools=DATABASE)) == ["etl#3"]


def test_a_run_that_waits_for_its_retry_holds_no_place(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 2, pool="one")
        (first,) = claim(tx, now=LATER, pools={"one": 1})
        assert tx.runs.move(first.key, RunState.RUNNING, at=LATER, actor="test")
        assert tx.runs.move(first.key, RunState.RETRYING, at=LATER + timedelta(hours=1), actor="test")

        assert names(claim(tx, now=LATER, pools={"one": 1})) == ["etl#2"]


def test_a_pool_is_shared_by_all_agents_and_max_running_is_not(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 4, pool="database")
        several(tx, "free", 1)
        claim(tx, 1, now=LATER, pools=DATABASE, agent="agent-2")

        assert names(claim(tx, now=LATER, pools=DATABASE, max_running=2)) == ["free#1", "etl#2"]


def test_a_flow_has_no_more_live_runs_than_it_may(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 3, max_running=2)
        several(tx, "other", 1)

        assert names(claim(tx, now=LATER)) == ["etl#1", "other#1", "etl#2"]
        assert claim(tx, now=LATER) == []


def test_a_pool_that_is_not_defined_has_no_place(database: Database) -> None:
    with database.write() as tx:
        (key,) = several(tx, "etl", 1, pool="gone")
        tell_limits(tx)

        assert claim(tx, now=LATER, pools=DATABASE) == []
        assert waits_for(tx, key) == "waits for pool 'gone', which the settings do not define"


def test_runs_go_on_that_are_more_than_a_pool_which_was_made_smaller(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 3, pool="database")
        first, _ = claim(tx, now=LATER, pools=DATABASE)
        assert claim(tx, now=LATER, pools={"database": 1}) == []
        tx.runs.move(first.key, RunState.CRASHED, at=LATER, actor="test")

        assert claim(tx, now=LATER, pools={"database": 1}) == []


# -- which ----------------------------------------------------------------------------------------------------------


def test_a_higher_priority_starts_first_then_the_oldest_due(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        for second, priority in ((0, None), (1, 5), (2, -1), (3, 5)):
            add(tx, flow, due_at=NOW + second * A_SECOND, priority=priority)

        assert names(claim(tx, 2, now=LATER)) == ["etl#2", "etl#4"]
        assert names(claim(tx, now=LATER)) == ["etl#1", "etl#3"]


def test_a_high_priority_that_is_not_due_yet_holds_up_nothing(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        add(tx, flow, due_at=LATER, priority=9)
        add(tx, flow)

        assert names(claim(tx, 1, now=NOW)) == ["etl#2"]


def test_what_waits_for_a_full_pool_holds_up_no_other_pool_or_flow(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx, name="etl", pool="database").flow
        tx.runs.add([a_new_run(flow, priority=9) for _ in range(300)])
        several(tx, "report", 1, pool="files")
        several(tx, "other", 1)

        taken = claim(tx, now=LATER, pools={"database": 1, "files": 1})
        assert names(taken) == ["etl#1", "report#1", "other#1"]


def test_a_schedule_has_a_pool_and_a_priority_of_its_own(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, pool="database", priority=3)
        tx.schedules.put(
            a_schedule(priority=3, pool="files"), flow=scene.flow, watermark=NOW, next_due=None, now=NOW
        )
        by_hand = add(tx, scene.flow)
        of_schedule = add_scheduled(tx, scene, pool="files", priority=3)

        assert [tx.runs.by_key(key).pool for key in (by_hand, of_schedule)] == ["database", "files"]
        assert [tx.runs.by_key(key).priority for key in (by_hand, of_schedule)] == [0, 3]
        assert names(claim(tx, now=LATER, pools={"files": 1})) == ["etl#2"]


def test_those_that_wait_follow_when_their_flow_gets_another_pool_and_priority(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, pool="database", overlap=Overlap.QUEUE)
        first, queued, by_hand = (
            add_scheduled(tx, scene, NOW),
            add_scheduled(tx, scene, NOW + A_SECOND),
            add(tx, scene.flow, priority=7),
        )
        claim(tx, 1, now=LATER, pools={"database": 1})
        changed = a_flow(pool="files", priority=2)
        tx.flows.put_file(a_file(changed, version="changed"), now=LATER)

        found = [tx.runs.by_key(key) for key in (first, queued, by_hand)]
        assert [run.pool for run in found] == ["files", "files", "database"]
        assert [run.priority for run in found] == [2, 2, 7]
        assert tx.broken_invariants() == []


def test_a_command_has_its_own_limit(database: Database) -> None:
    with database.write() as tx:
        key = tx.flows.put_command(a_command(max_running=1, priority=4), now=NOW)
        add(tx, key)
        add(tx, key)

        (run,) = claim(tx)
        assert (run.selector, run.priority) == ("dump#1", 4)


def test_runs_start_in_their_order_however_many_flows_they_are_of(database: Database) -> None:
    with database.write() as tx:
        flows = [a_scene(tx, name=f"flow-{number}").flow for number in range(60)]
        for number, flow in enumerate(flows):
            add(tx, flow, due_at=NOW + number * A_SECOND)
            add(tx, flow, due_at=NOW + (number + 0.5) * A_SECOND)
        urgent = a_scene(tx, name="urgent", priority=1)
        add_scheduled(tx, urgent, NOW + 200 * A_SECOND, priority=1)

        taken = claim(tx, 111, now=LATER, max_running=1_000)

    assert names(taken) == ["urgent#1", *(f"flow-{each // 2}#{each % 2 + 1}" for each in range(110))]


def test_runs_that_have_room_start_however_many_flows_before_them_have_none(database: Database) -> None:
    with database.write() as tx:
        several(tx, "first", 2, pool="database")
        claim(tx, now=LATER, pools=DATABASE)
        for number in range(60):
            several(tx, f"waiting-{number}", 1, pool="database")
        several(tx, "free", 2)
        last = a_scene(tx, name="last").flow
        add(tx, last, due_at=NOW + 5 * A_SECOND)

        taken = claim(tx, now=LATER, pools=DATABASE)

    assert names(taken) == ["free#1", "free#2", "last#1"]


def test_an_end_matters_where_a_run_waits_or_a_schedule_comes_after_others(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        assert not tx.runs.end_matters()

        key = add(tx, flow)
        assert tx.runs.end_matters()

        claim(tx)
        assert not tx.runs.end_matters()
        for to in (RunState.RUNNING, RunState.RETRYING):
            assert tx.runs.move(key, to, at=NOW, actor="test")
        assert tx.runs.end_matters()
        assert tx.runs.move(key, RunState.CANCELLED, at=NOW, actor="test")
        assert not tx.runs.end_matters()

        follower = a_schedule("follower", flow="etl", when=After(flows=("etl",)))
        tx.schedules.put(follower, flow=flow, watermark=NOW, next_due=None, now=NOW)
        assert tx.runs.end_matters()


# -- at what cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement", [_FIRST_OF_STRANDS, _FIRST_OF_LINES, ACTIVE_RUNS], ids=["strands", "lines", "active"]
)
def test_a_claim_seeks_in_the_indexes_of_what_waits_and_goes_on(
    sqlite_database: Database, statement: AnySelect
) -> None:
    with sqlite_database.read() as tx:
        told = statement.params({"now": NOW, "most": 50, "from": 0}).compile(
            tx._connection.engine, compile_kwargs={"literal_binds": True}
        )
        plan = [row[-1] for row in tx._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {told}")]

    of_runs = [step for step in plan if step.startswith(("SCAN", "SEARCH")) and "found" not in step]
    assert [step for step in of_runs if " USING " not in step] == []
    assert [step for step in of_runs if step.startswith("SCAN") and "ix_runs_" not in step] == []


# -- what it says ---------------------------------------------------------------------------------------------------


def test_a_run_says_which_others_have_the_places_of_its_pool(database: Database) -> None:
    with database.write() as tx:
        keys = several(tx, "etl", 3, pool="database")
        tell_limits(tx)
        claim(tx, now=LATER, pools=DATABASE)

        assert waits_for(tx, keys[2]) == "waits for a place in pool 'database' (2 of 2 taken: etl#1, etl#2)"
        assert waits_for(tx, keys[0]) == ""


def test_a_run_says_that_its_flow_has_enough_runs(database: Database) -> None:
    with database.write() as tx:
        keys = several(tx, "etl", 2, max_running=1)
        tell_limits(tx)
        claim(tx, now=LATER)

        assert waits_for(tx, keys[1]) == "waits for max_running of etl (1 of 1: etl#1)"


def test_a_run_says_that_all_places_are_taken(database: Database) -> None:
    with database.write() as tx:
        keys = several(tx, "etl", 3)
        tell_limits(tx, max_running=2)
        claim(tx, now=LATER, max_running=2)

        assert waits_for(tx, keys[2]) == "waits for max_running (2 of 2)"


def test_of_many_that_hold_places_a_few_are_named(database: Database) -> None:
    with database.write() as tx:
        keys = several(tx, "etl", 6, pool="big")
        tell_limits(tx, pools={"big": 5})
        claim(tx, now=LATER, pools={"big": 5})

        assert waits_for(tx, keys[5]).endswith("(5 of 5 taken: etl#1, etl#2, etl#3 and 2 more)")


def test_a_run_that_is_not_due_waits_for_nothing_else(database: Database) -> None:
    with database.write() as tx:
        several(tx, "etl", 2, pool="database")
        key = add(tx, a_scene(tx, name="late", pool="database").flow, due_at=LATER + A_SECOND)
        tell_limits(tx)
        claim(tx, now=LATER, pools=DATABASE)

        assert waits_for(tx, key) == ""


def test_what_it_waits_for_goes_with_what_is_in_its_way(database: Database) -> None:
    with database.write() as tx:
        keys = several(tx, "etl", 2, pool="one")
        tell_limits(tx, pools={"one": 1})
        (first,) = claim(tx, now=LATER, pools={"one": 1})
        tx.runs.move(first.key, RunState.CRASHED, at=LATER, actor="test")
        assert waits_for(tx, keys[1]) == ""
        claim(tx, now=LATER, pools={"one": 1})

        assert waits_for(tx, keys[1]) == ""
        assert tx.runs.by_key(keys[1]).state is RunState.PENDING


def test_a_turn_in_line_is_told_before_a_place(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, pool="one", overlap=Overlap.QUEUE)
        keys = [add_scheduled(tx, scene, NOW + second * A_SECOND) for second in range(2)]
        tell_limits(tx, pools={"one": 1})
        claim(tx, now=LATER, pools={"one": 1})
        assert waits_for(tx, keys[1]) == "queued behind etl#1"
        tx.runs.move(keys[0], RunState.CRASHED, at=LATER, actor="test")
        several(tx, "other", 1, pool="one")
        claim(tx, now=NOW, pools={"one": 1})

        assert waits_for(tx, keys[1]) == "waits for a place in pool 'one' (1 of 1 taken: other#1)"


def test_without_an_agent_nobody_knows_of_places(database: Database) -> None:
    with database.write() as tx:
        (key,) = several(tx, "etl", 1, pool="gone")
        claim(tx, now=LATER)

        assert waits_for(tx, key) == ""
