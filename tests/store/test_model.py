"""The store beside a model of it: whatever is done in whatever order, both say the same."""

from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Position, RunFilter
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import ACTIVE, BAD, FINAL, LIVE, RunState
from schedulerd.errors import Conflict
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW, a_new_run
from tests.store.claim_model import ModelClaim, ModelRun
from tests.store.scenes import AGENT, Scene, a_line, a_move, a_scene, an_intake, claim

STATES = st.sampled_from(list(RunState))
POLICIES = {
    "skips": Policies(overlap=Overlap.SKIP),
    "allows": Policies(overlap=Overlap.ALLOW),
    "queues": Policies(overlap=Overlap.QUEUE, queue_limit=2),
    "replaces": Policies(overlap=Overlap.REPLACE),
}
NAMES = tuple(POLICIES)
MAX_RUNNING = 5
FLOW_LIMITS = {"allows": 2, "queues": 1}
POOLS = {"one": 1, "two": 2}
POOL_OF_FLOW = {"skips": "two", "allows": "two", "replaces": "one"}
PRIORITY_OF_SCHEDULE = {"replaces": 1, "queues": -1}


class StoreBesideModel(RuleBasedStateMachine):
    """Adds, claims, moves and intakes, at random, to both."""

    migrated: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        copyfile(self.migrated, Path(self.folder.name, "test.db"))
        self.database = Database(f"sqlite:///{self.folder.name}/test.db")
        self.scenes: dict[str, Scene] = {}
        self.runs: dict[RunKey, ModelRun] = {}
        self.now = NOW

    @initialize()
    def begin(self) -> None:
        with self.database.write() as tx:
            for name, policies in POLICIES.items():
                self.scenes[name] = a_scene(
                    tx,
                    name=name,
                    policies=policies,
                    pool=POOL_OF_FLOW.get(name),
                    max_running=FLOW_LIMITS.get(name),
                    priority=PRIORITY_OF_SCHEDULE.get(name),
                )

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(
        name=st.sampled_from(NAMES),
        seconds=st.lists(st.integers(0, 8), max_size=4),
        caught_up=st.sampled_from([False, False, True]),
    )
    def tick(self, name: str, seconds: list[int], caught_up: bool) -> None:
        scene = self.scenes[name]
        due = [NOW + second * A_SECOND for second in seconds]
        taken = {run.due_at for run in self.runs.values() if run.schedule == name}
        of_schedule = {
            "schedule": scene.schedule,
            "caught_up": caught_up,
            "priority": PRIORITY_OF_SCHEDULE.get(name),
        }
        new = [a_new_run(scene.flow, slot=at.isoformat(), due_at=at, **of_schedule) for at in due]

        with self.database.write() as tx:
            keys = tx.runs.add(new)

        for at, key in zip(due, keys, strict=True):
            assert (key is None) == (at in taken)
            taken.add(at)
            if key is not None:
                self.runs[key] = ModelRun(
                    due_at=at,
                    schedule=name,
                    caught_up=caught_up,
                    flow=name,
                    pool=POOL_OF_FLOW.get(name),
                    priority=PRIORITY_OF_SCHEDULE.get(name, 0),
                )

    @rule(name=st.sampled_from(NAMES), priority=st.sampled_from([None, None, 2]), later=st.integers(0, 3))
    def ask(self, name: str, priority: int | None, later: int) -> None:
        due_at = self.now + later * A_SECOND
        with self.database.write() as tx:
            (key,) = tx.runs.add([a_new_run(self.scenes[name].flow, due_at=due_at, priority=priority)])
        assert key is not None
        self.runs[key] = ModelRun(
            due_at=due_at, schedule=None, flow=name, pool=POOL_OF_FLOW.get(name), priority=priority or 0
        )

    @rule(limit=st.integers(0, 4), agent=st.sampled_from([AGENT, "agent-2"]))
    def claim(self, limit: int, agent: str) -> None:
        with self.database.write() as tx:
            taken = claim(tx, limit, now=self.now, agent=agent, max_running=MAX_RUNNING, pools=POOLS)

        assert [run.key for run in taken] == self.model_claim(limit, agent)

    def model_claim(self, limit: int, agent: str) -> list[RunKey]:
        held = sum(run.agent == agent and run.state in LIVE for run in self.runs.values())
        claim = ModelClaim(
            runs=self.runs, policies=POLICIES, flow_limits=FLOW_LIMITS, pools=POOLS, now=self.now
        )
        return claim.take(min(limit, MAX_RUNNING - held), agent)

    @rule(data=st.data(), to=STATES)
    def move(self, data: st.DataObject, to: RunState) -> None:
        if not self.runs or to is RunState.PENDING:
            return
        key = data.draw(st.sampled_from(sorted(self.runs)))
        if to is RunState.RETRYING and self.runs[key].state in FINAL:
            return  # which only `try_again` does
        with self.database.write() as tx:
            moved = tx.runs.move(key, to, at=self.now, actor="test", reason="paused")

        assert moved == self.runs[key].move(to, self.now)

    @rule(data=st.data())
    def try_again(self, data: st.DataObject) -> None:
        if not self.runs:
            return
        key = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[key]
        others = [one for one in self.runs.values() if one.state in ACTIVE and one.schedule == run.schedule]
        may_overlap = run.schedule is None or POLICIES[run.schedule].overlap is Overlap.ALLOW
        possible = run.state in BAD | {RunState.CANCELLED} and (may_overlap or not others)
        with self.database.write() as tx:
            try:
                tx.runs.try_again(key, at=self.now, actor="kim", message="")
            except Conflict:
                assert not possible
                return

        assert possible
        assert run.move(RunState.RETRYING, self.now)

    @rule(data=st.data(), moves=st.lists(STATES, max_size=3), skew=st.sampled_from([0, 0, 0, 7]))
    def take(self, data: st.DataObject, moves: list[RunState], skew: int) -> None:
        if not self.runs:
            return
        key = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[key]
        moves = [to for to in moves if to is not RunState.PENDING]
        batch = an_intake(
            key,
            was=Position(journal=run.bytes + skew),
            now=Position(journal=run.bytes + 10),
            moves=tuple(a_move(to, at=self.now) for to in moves),
            lines=(a_line(f"{len(run.lines)}"),),
            reason="paused",
        )
        with self.database.write() as tx:
            taken = tx.intake.take([batch])

        assert taken == (set() if skew else {key})
        if not skew:
            run.bytes += 10
            run.lines.append(f"{len(run.lines)}")
            for to in moves:
                if run.state not in FINAL:
                    run.move(to, self.now)
            if run.state is RunState.RETRYING:
                run.bytes = 0

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        with self.database.read() as tx:
            live = tx.runs.live()

        for pool, places in POOLS.items():
            assert sum(run.pool == pool for run in live) <= places
        for flow, most in FLOW_LIMITS.items():
            assert sum(run.flow == flow for run in live) <= most

    @rule()
    def nothing_is_left_that_could_start(self) -> None:
        with self.database.write() as tx:
            agent = claim(tx, now=self.now, agent=AGENT, max_running=MAX_RUNNING, pools=POOLS)
        assert [run.key for run in agent] == self.model_claim(100, AGENT)

        with self.database.read() as tx:
            wanted = RunFilter(states=frozenset({RunState.SCHEDULED}), limit=10_000)
            waiting = tx.runs.list(wanted)
            told = tx.waiting.told(waiting, now=self.now)
            live = tx.runs.live()
        going = {run.schedule for run in self.runs.values() if run.state in ACTIVE}
        for run in waiting:
            free = sum(one.agent == AGENT for one in live) < MAX_RUNNING
            in_pool = run.pool is None or sum(one.pool == run.pool for one in live) < POOLS[run.pool]
            of_flow = sum(one.flow == run.flow for one in live) < FLOW_LIMITS.get(run.flow, 99)
            in_turn = run.schedule is None or run.schedule.removesuffix("-morning") not in going
            if run.due_at <= self.now and free and in_pool and of_flow and in_turn:
                raise AssertionError(f"{run.selector} could start; it waits for {told.get(run.key)}")

    @invariant()
    def both_say_the_same(self) -> None:
        with self.database.read() as tx:
            stored = {run.key: run for run in tx.runs.list(RunFilter(limit=10_000))}
            moves = {key: len(tx.runs.moves(key)) for key in stored}
            lines = {key: [line.line.message for line in tx.logs.lines(key, limit=99)] for key in stored}
            wished = {wish.run for wish in tx.runs.cancel_wishes()}
            broken = tx.broken_invariants()

        assert broken == []
        assert {key: run.state for key, run in stored.items()} == {
            key: run.state for key, run in self.runs.items()
        }
        assert {key: run.position.journal for key, run in stored.items()} == {
            key: run.bytes for key, run in self.runs.items()
        }
        assert {key: run.reason for key, run in stored.items() if run.state is RunState.SKIPPED} == {
            key: run.skipped or "paused" for key, run in self.runs.items() if run.state is RunState.SKIPPED
        }
        assert wished == {key for key, run in self.runs.items() if run.told_to_end}
        assert moves == {key: run.moves for key, run in self.runs.items()}
        assert lines == {key: run.lines for key, run in self.runs.items()}


def test_the_store_does_what_its_model_does(migrated_sqlite: Path) -> None:
    machine = type("Machine", (StoreBesideModel,), {"migrated": migrated_sqlite})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
