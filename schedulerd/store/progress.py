"""How far a run is, and how far it is after the records that an intake brings. No database here: it only decides."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.error_kinds import ErrorKind, error_kind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.results import Result
from schedulerd.domain.runs import Move, Position
from schedulerd.domain.states import FINAL, RunState, may_move
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.domain.told import Artifact
from schedulerd.store.child_rows import Numbers, place_of
from schedulerd.store.documents import failure_json
from schedulerd.store.hooks import owes
from schedulerd.store.logs import line_row
from schedulerd.store.moving import move_row
from schedulerd.store.questions import freed_row, question_row
from schedulerd.store.tables import AnyRow
from schedulerd.store.tallies import Ended, ended_of
from schedulerd.store.tasks import attempt_row, task_row
from schedulerd.store.told import artifact_row, event_row


class Progress:
    """One run while batches are taken: its row as it was, and the rows to be written."""

    def __init__(self, row: AnyRow) -> None:
        self.run: Final = RunKey(row.id)
        self._flow: Final[int] = row.flow_id
        self.moves: Final[list[dict[str, Any]]] = []
        self.lines: Final[list[dict[str, Any]]] = []
        self.came: Final[list[tuple[RunKey, RunState, datetime]]] = []
        self.freed: Final[list[dict[str, Any]]] = []
        self.questions: Final[list[dict[str, Any]]] = []
        self.artifacts: Final[dict[UUID, dict[str, Any]]] = {}
        self.events: Final[dict[UUID, dict[str, Any]]] = {}
        self.attempt: Final[int] = row.attempt
        self.subflows: Final[dict[int, Subflow]] = {}
        self.mentioned: Final[set[int]] = set()
        """The task runs that stand for child runs of which something was told."""
        self._was: Final = Position(
            journal=row.journal_bytes, stdout=row.stdout_bytes, stderr=row.stderr_bytes
        )
        self._position = self._was
        self._state = RunState(row.state)
        self._pending_at: datetime | None = row.pending_at
        self._started_at: datetime | None = row.started_at
        self._ended_at: datetime | None = row.ended_at
        self.had_ended: Final = self.has_ended
        """How it had ended before."""
        self._retry_at: datetime | None = row.retry_at
        self._attempt_ended_at: datetime | None = None
        self._hooks: Final[str | None] = row.hooks
        self.owes_hooks = False
        self._move_count: int = row.move_count
        self._line_count: int = row.line_count
        self._tasks: dict[int, dict[str, Any]] = {}
        self._attempts: dict[tuple[int, int], TaskAttempt] = {}
        self.results: Final[dict[str, Result]] = {}
        self._given: dict[str, Any] = dict.fromkeys(
            ("why", "process", "wrong", "kind", "cpu", "rss", "preview", "kept")
        )
        self.kinds: Final[list[ErrorKind]] = []
        self.is_changed = False

    def take(self, batch: Intake) -> None:
        """Apply the batch, unless it starts at another position than this run has reached."""
        if batch.was != self._position:
            return
        self.is_changed = True
        self._position = batch.now
        self._take_words(batch)
        self._started_at = self._started_at or batch.started_at
        for move in batch.moves:
            self._take_move(move, batch)
        if self._state is RunState.RETRYING:
            self._position = Position()
        for line in batch.lines:
            self._line_count += 1
            self.lines.append(line_row(self.run, self._line_count, line))
            self._mention(line.within)
        for task in batch.tasks:
            self._take_task(task)
        for attempt in batch.attempts:
            self._take_attempt(attempt)
        for subflow in batch.subflows:
            self._take_subflow(subflow)
        self.questions.extend(question_row(self.run, self.attempt, one) for one in batch.questions)
        self.freed.extend(freed_row(self.run, self.attempt, one) for one in batch.freed)
        for artifact in batch.artifacts:
            self._take_artifact(artifact)
        self.events.update((event.id, event_row(self.run, event)) for event in batch.events)
        self.results.update((result.call, result) for result in batch.results)

    def row(self) -> dict[str, Any]:
        """The parameters of the UPDATE that records where the run now is."""
        return self._given | {
            "key": self.run,
            "journal_was": self._was.journal,
            "stdout_was": self._was.stdout,
            "stderr_was": self._was.stderr,
            "to": self._state.value,
            "pending": self._pending_at,
            "started": self._started_at,
            "ended": self._ended_at,
            "again": self._retry_at if self._state is RunState.RETRYING else None,
            "journal_now": self._position.journal,
            "stdout_now": self._position.stdout,
            "stderr_now": self._position.stderr,
            "move_total": self._move_count,
            "line_total": self._line_count,
        }

    def end(self) -> tuple[RunKey, RunState, datetime | None]:
        """The run, where it now is, and when it, or its attempt, ended."""
        return self.run, self._state, self._ended_at or self._attempt_ended_at or self._retry_at

    @property
    def has_ended(self) -> tuple[Ended, ...]:
        """How it has ended; nothing where it goes on."""
        return ended_of(self._flow, self._state, self._started_at, self._ended_at)

    def task_rows(self) -> list[dict[str, Any]]:
        """A row for each task run that was spoken of."""
        return list(self._tasks.values())

    def attempt_rows(self) -> list[dict[str, Any]]:
        """A row for each attempt of a task that was spoken of."""
        return [attempt_row(self.run, attempt) for attempt in self._attempts.values()]

    def place(self, numbers: Numbers) -> None:
        """Say by these numbers to which child run each row belongs, instead of which task run stands for that."""
        for row in (*self.lines, *self._tasks.values()):
            row["child"] = place_of(row["child"], numbers)

    def _mention(self, task: int | None) -> None:
        if task is not None:
            self.mentioned.add(task)

    def _take_words(self, batch: Intake) -> None:
        given: dict[str, Any] = {
            "process": batch.pid,
            "cpu": batch.cpu_ms,
            "rss": batch.max_rss_bytes,
            "preview": batch.result_preview,
            "kept": None if batch.result_kept is None else batch.result_kept.value,
        }
        if self._state not in FINAL:  # how a run ended is settled once
            given |= {"why": batch.reason or None, "wrong": failure_json(batch.failure)}
            if batch.failure is not None:
                kind = error_kind(batch.failure)
                self.kinds.append(kind)
                given["kind"] = kind.key
        self._given |= {name: value for name, value in given.items() if value is not None}

    def _take_move(self, move: Move, batch: Intake) -> None:
        if self._state in FINAL or not may_move(self._state, move.to):
            return
        self._move_count += 1
        taken = Move(at=move.at, was=self._state, to=move.to, actor=move.actor, message=move.message)
        self.moves.append(move_row(self.run, self._move_count, taken))
        self._state = move.to
        self.came.append((self.run, move.to, move.at))
        if move.to is RunState.PENDING:
            self._pending_at = move.at
        elif move.to is RunState.RUNNING:
            self._started_at = self._started_at or move.at
        elif move.to is RunState.RETRYING:
            self._retry_at = batch.retry_at or move.at
            self._attempt_ended_at = batch.ended_at or move.at
        elif move.to in FINAL:
            self._ended_at = batch.ended_at or move.at
            self.owes_hooks = owes(self._hooks, move.to)

    def _take_artifact(self, artifact: Artifact) -> None:
        row, before = artifact_row(self.run, artifact), self.artifacts.get(artifact.id)
        if before is not None:
            row["created_at"] = before["created_at"]
        self.artifacts[artifact.id] = row

    def _take_subflow(self, subflow: Subflow) -> None:
        self._mention(subflow.task)
        self._mention(subflow.within)
        before = self.subflows.get(subflow.task)
        if before is not None and before.parameters is not None:
            subflow = replace(
                subflow, started_at=before.started_at, parameters=before.parameters, tags=before.tags
            )
        self.subflows[subflow.task] = subflow

    def _take_task(self, task: TaskRun) -> None:
        self._mention(task.within)
        row = task_row(self.run, task)
        before = self._tasks.get(task.number)
        if before is not None and row["started_at"] is None and before["ended_at"] is None:
            row["started_at"] = before["started_at"]
        self._tasks[task.number] = row

    def _take_attempt(self, attempt: TaskAttempt) -> None:
        key = attempt.number, attempt.attempt
        before = self._attempts.get(key, attempt)
        self._attempts[key] = replace(
            attempt,
            started_at=attempt.started_at or before.started_at,
            ended_at=attempt.ended_at or before.ended_at,
        )
