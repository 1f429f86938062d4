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
from schedulerd.domain.states import LIVE, RunState
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
MAX_RUNNING = 3


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
                self.scenes[name] = a_scene(tx, name=name, policies=policies)

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
        of_schedule = {"schedule": scene.schedule, "caught_up": caught_up}
        new = [a_new_run(scene.flow, slot=at.isoformat(), due_at=at, **of_schedule) for at in due]

        with self.database.write() as tx:
            keys = tx.runs.add(new)

        for at, key in zip(due, keys, strict=True):
            assert (key is None) == (at in taken)
            taken.add(at)
            if key is not None:
                self.runs[key] = ModelRun(due_at=at, schedule=name, caught_up=caught_up)

    @rule(name=st.sampled_from(NAMES))
    def ask(self, name: str) -> None:
        with self.database.write() as tx:
            (key,) = tx.runs.add([a_new_run(self.scenes[name].flow, due_at=self.now)])
        assert key is not None
        self.runs[key] = ModelRun(due_at=self.now, schedule=None)

    @rule(limit=st.integers(0, 4), agent=st.sampled_from([AGENT, "agent-2"]))
    def claim(self, limit: int, agent: str) -> None:
        with self.database.write() as tx:
            taken = claim(tx, limit, now=self.now, agent=agent, max_running=MAX_RUNNING)

        assert [run.key for run in taken] == self.model_claim(limit, agent)

    def model_claim(self, limit: int, agent: str) -> list[RunKey]:
        held = sum(run.agent == agent and run.state in LIVE for run in self.runs.values())
        claim = ModelClaim(runs=self.runs, policies=POLICIES, now=self.now)
        return claim.take(min(limit, MAX_RUNNING - held), agent)

    @rule(data=st.data(), to=STATES)
    def move(self, data: st.DataObject, to: RunState) -> None:
        if not self.runs or to is RunState.PENDING:
            return
        key = data.draw(st.sampled_from(sorted(self.runs)))
        with self.database.write() as tx:
            moved = tx.runs.move(key, to, at=self.now, actor="test", reason="why")

        assert moved == self.runs[key].move(to)

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
            reason="why",
        )
        with self.database.write() as tx:
            taken = tx.intake.take([batch])

        assert taken == (set() if skew else {key})
        if not skew:
            run.bytes += 10
            run.lines.append(f"{len(run.lines)}")
            for to in moves:
                run.move(to)

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
            key: run.skipped or "why" for key, run in self.runs.items() if run.state is RunState.SKIPPED
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
