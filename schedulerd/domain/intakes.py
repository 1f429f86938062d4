"""What the files of a run brought since the last look, as one step to be recorded whole or not at all."""

from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine
from schedulerd.domain.questions import Question
from schedulerd.domain.results import Result, ResultKind
from schedulerd.domain.runs import Move, Position
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.domain.told import Artifact, Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """New records of one run: they were read from `was` up to `now` in its files.

    It applies only to a run whose position is still `was`, so that no record counts twice. `moves` are tried in
    order (what each comes from is the state that is then true); an illegal one is dropped. `tasks` and `subflows`
    replace what is known of a task run or child run, except how it began; `attempts` of tasks add to it. `lines` are numbered on from those already there.
    What is None or empty leaves what is known as it is. With `retry_at` this attempt is over, and the run is tried again
    then: its next records come from new files. `freed` are questions that it is done with, and what it was given for
    them.
    """

    run: RunKey
    was: Position
    now: Position
    moves: tuple[Move, ...] = ()
    pid: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    reason: str = ""
    cpu_ms: int | None = None
    max_rss_bytes: int | None = None
    tasks: tuple[TaskRun, ...] = ()
    attempts: tuple[TaskAttempt, ...] = ()
    subflows: tuple[Subflow, ...] = ()
    lines: tuple[LogLine, ...] = ()
    result_preview: str | None = None
    retry_at: datetime | None = None
    results: tuple[Result, ...] = ()
    result_kept: ResultKind | None = None
    questions: tuple[Question, ...] = ()
    freed: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    events: tuple[Event, ...] = ()
