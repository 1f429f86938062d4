"""Runs in the process of the test, recorded in a temporary store: `with history() as seen`."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from schedulerd.authoring.asking import answer_by
from schedulerd.authoring.console import run_logger
from schedulerd.authoring.context import Facts, FlowContext, witnesses
from schedulerd.authoring.describing import describe
from schedulerd.authoring.execution import Outcome, execute, outcome_of, outcome_of_error
from schedulerd.authoring.flows import AnyFlow
from schedulerd.authoring.keeping import FOLDER_VARIABLE, Keeper
from schedulerd.authoring.known import Known
from schedulerd.authoring.recording import Ended
from schedulerd.clock import SystemClock, microseconds, moment
from schedulerd.direct import StoreChannel
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.ids import RunId
from schedulerd.domain.limits import Limits
from schedulerd.domain.parameters import check_parameters
from schedulerd.domain.runs import NewRun, Run, RunFilter, Trigger
from schedulerd.engine.flow_files import load_flow
from schedulerd.engine.folders import RESULTS, RunFolders
from schedulerd.engine.inspection import understand
from schedulerd.engine.notes import write_private
from schedulerd.engine.processes import boot_id
from schedulerd.errors import BadDefinition, NotFound
from schedulerd.operations.operations import Operations
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.reading import read_attempt
from schedulerd.store.database import Database
from schedulerd.testing.histories import RunHistory, history_of
from schedulerd.testing.recorder import RunLines, TestRecorder
from schedulerd.testing.targets import Meant, Target, meant

_AGENT: Final = "test"
_ALL: Final = Limits(max_running=1_000_000, pools={})
_LARGEST_RESULT: Final = 100 * 2**20
_LARGEST_LOG: Final = 64 * 2**20
_MOST_RUNS: Final = 10_000
_migrated: bytes | None = None


@contextmanager
def history() -> Iterator["History"]:
    """Record the runs of all flows that are called in the block, in a store that is gone after it.

    They run as they do in any plain Python program: here, at once, and what they raise is raised.
    """
    with TemporaryDirectory(prefix="schedulerd-test-") as folder:
        kept, found = os.environ.get(FOLDER_VARIABLE), History(Path(folder))
        os.environ[FOLDER_VARIABLE] = str(found.results)  # what is cached in a test is for that test
        witnesses.append(found)
        asked_before = answer_by(found.channel)  # variables and secrets are those of the test
        lines = RunLines()
        run_logger().addHandler(lines)
        try:
            yield found
        finally:
            answer_by(asked_before)
            witnesses.remove(found)
            run_logger().removeHandler(lines)
            if kept is None:
                os.environ.pop(FOLDER_VARIABLE, None)
            else:
                os.environ[FOLDER_VARIABLE] = kept
            found.close()


class History:
    """The runs that were recorded, and a way to run a flow of a file."""

    def __init__(self, folder: Path) -> None:
        self._clock: Final = SystemClock()
        self._folders: Final = RunFolders(folder)
        self._folders.make()
        self.results: Final = folder / RESULTS
        self._database: Final = _database(folder / "schedulerd.db")
        self._ask: Final = Operations(self._database, state_dir=folder, clock=self._clock)
        self._flows: dict[str, dict[str, FlowDefinition]] = {}

    @property
    def channel(self) -> StoreChannel:
        """Where the flows ask for variables and secrets: in this store, which has those that the test has set."""
        return StoreChannel(self._ask)

    # -- asked by tests -----------------------------------------------------------------------------------------

    @property
    def runs(self) -> tuple[RunHistory, ...]:
        """All runs that have ended, the first first."""
        found = self._ask.runs.list(RunFilter(limit=_MOST_RUNS))
        return tuple(history_of(self._ask, run.selector) for run in reversed(found))

    @property
    def last(self) -> RunHistory:
        """The run that ended last. Raises `LookupError` where there is none."""
        found = self._ask.runs.list(RunFilter(limit=1))
        if not found:
            raise LookupError("no flow has run in this block yet")
        return history_of(self._ask, found[0].selector)

    def run(self, target: Target, parameters: Mapping[str, Any] | None = None) -> RunHistory:
        """Run a flow, or the one of a file (`flows/etl.py`, `flows/etl.py:name`), once; never raises what it raises.

        Parameters are those that JSON knows, as the daemon gives them. Raises `NotFound` and `BadParameters`.
        """
        flow = target if isinstance(target, AnyFlow) else _loaded(target)
        given = parameters or {}
        check_parameters(flow.name, describe(flow)["parameters"], given)
        facts = Facts()
        recorder = self._recorder(facts)
        outcome = execute(flow, given, recorder, facts=facts, known=Known())
        return self._take(flow, recorder, given, outcome)

    # -- told by runs -------------------------------------------------------------------------------------------

    def context(self, flow: AnyFlow) -> FlowContext:
        """The context of a run that begins: what it tells goes into its journal, and to the console."""
        facts = Facts()
        context = FlowContext(flow.name, self._recorder(facts), now=microseconds, facts=facts)
        context.witness, context.flow = self, flow
        context.known = Known()  # with it what tasks return is kept, as it is under the daemon
        return context

    def ended(self, context: FlowContext, state: Ended, value: Any) -> None:
        """Take the run into the store."""
        self._end(context, outcome_of(state, value, context))

    def cut_short(self, context: FlowContext, error: BaseException) -> None:
        """The same for a run that was ended from outside; one that had not begun is none."""
        if context.started_at:
            self._end(context, outcome_of_error(error, context))

    def _end(self, context: FlowContext, outcome: Outcome) -> None:
        recorder = context.recorder
        assert context.flow is not None
        assert isinstance(recorder, TestRecorder)
        if outcome.result is not None:
            recorder.result(outcome.result, context.now(), kept=outcome.kept)
        given = json.loads(json.dumps(dict(context.parameters), default=str))
        self._take(context.flow, recorder, given, outcome)

    def _keeper(self, facts: Facts) -> Keeper:
        return Keeper(self.results / facts.id, limit=_LARGEST_RESULT)

    def _recorder(self, facts: Facts) -> TestRecorder:
        folder = self._folders.runs / f"{facts.id}.1"
        return TestRecorder(RunId(UUID(facts.id)), folder, self._keeper(facts))

    # -- the store ----------------------------------------------------------------------------------------------

    def _take(
        self, flow: AnyFlow, recorder: TestRecorder, given: Mapping[str, Any], outcome: Outcome
    ) -> RunHistory:
        """Take a run that has ended into the store, as the daemon does with those of its spawner."""
        recorder.end(outcome.state, outcome.message, outcome.failure, microseconds())
        run = self._begun(flow, recorder, given)
        attempt = Attempt.of(run, kind=FlowKind.PYTHON, timeout=None)
        attempt.dead = True  # as far as its journal goes
        is_settled = False
        while not is_settled:
            reading = read_attempt(attempt, recorder.folder, now=self._clock.now(), max_log=_LARGEST_LOG)
            with self._database.write() as tx:
                tx.intake.take([] if reading.intake is None else [reading.intake])
            attempt.position, attempt.state, attempt.last_word = (
                reading.position,
                reading.state,
                reading.last_word,
            )
            is_settled = reading.settled
        return history_of(self._ask, run.selector)

    def _begun(self, flow: AnyFlow, recorder: TestRecorder, given: Mapping[str, Any]) -> Run:
        """The run, claimed; its flow is put in force first, beside the others of its file."""
        now = moment(recorder.began_at)
        new = partial(NewRun, id=recorder.run, created_at=now, due_at=now, trigger=Trigger.MANUAL)
        with self._database.write() as tx:
            tx.flows.put_file(self._file_of(flow), now=now)
            key = tx.flows.get(flow.name).key
            tx.runs.add([new(flow=key, parameters=given)])
            (run,) = tx.runs.claim(1, now=now, agent=_AGENT, boot_id=boot_id(), limits=_ALL)
        return run

    def _file_of(self, flow: AnyFlow) -> FileDefinition:
        """The file of the flow, with all its flows that have run so far; its version is that of this flow."""
        file = flow.file or "<test>"
        for name, flows in self._flows.items():
            if name != file:
                flows.pop(flow.name, None)  # another file had a flow of this name
        said = {"flows": [describe(flow)], "source": "", "version": recorded_version(flow)}
        found = understand(file, said, timezone="UTC")
        if isinstance(found, Failure):
            raise BadDefinition(found.message, file=file)
        here = self._flows.setdefault(file, {})
        here |= {one.name: replace(one, schedules=()) for one in found.flows}
        return replace(found, flows=tuple(here.values()))

    def close(self) -> None:
        """Give the store up."""
        self._database.close()


def recorded_version(flow: AnyFlow) -> str:
    """What tells the flow's code from other code: in a test, which file and flow it is."""
    return sha256(f"{flow.file}:{flow.name}".encode()).hexdigest()


def _loaded(target: Path | str) -> AnyFlow:
    what = meant(target)
    if not isinstance(what, Meant):
        raise NotFound(
            "file", what, mend="name a file (flows/etl.py, or flows/etl.py:FLOW), or give the flow itself"
        )
    return load_flow(what.file, what.flow)


def _database(file: Path) -> Database:
    """A database with the present schema; made step by step once in a process, and copied after that."""
    global _migrated
    database = Database(f"sqlite:///{file}")
    if _migrated is None:
        database.upgrade()
        database.give_room_back()
        database.close()
        _migrated = file.read_bytes()
        return database
    write_private(file, _migrated)
    return database
