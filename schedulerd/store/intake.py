"""Taking what the journals of many runs brought into the database, in a handful of statements."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.errors import Conflict
from schedulerd.store.child_rows import take_children
from schedulerd.store.endings import end_with_runs
from schedulerd.store.error_kinds import put_kinds
from schedulerd.store.hearing import Hearing
from schedulerd.store.hooks import owe_hooks
from schedulerd.store.moving import INSERT_MOVE
from schedulerd.store.prepared import Prepared
from schedulerd.store.progress import Progress
from schedulerd.store.questions import PUT_QUESTION, end_attempts, let_go
from schedulerd.store.results import PUT_RESULT, result_rows
from schedulerd.store.run_tables import log_lines, task_attempts, task_runs
from schedulerd.store.tables import runs
from schedulerd.store.tallies import tally
from schedulerd.store.told import PUT_ARTIFACT, PUT_EVENT
from schedulerd.store.upserts import Upsert

_PAGE: Final = 1_000


def _given(name: str, column: Any) -> Any:
    """The parameter, or where it is None what the row has."""
    return func.coalesce(bindparam(name, type_=column.type), column)


_PROGRESS: Final = select(
    runs.c.id,
    runs.c.flow_id,
    runs.c.state,
    runs.c.pending_at,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.retry_at,
    runs.c.journal_bytes,
    runs.c.stdout_bytes,
    runs.c.stderr_bytes,
    runs.c.move_count,
    runs.c.line_count,
    runs.c.hooks,
    runs.c.attempt,
).where(runs.c.id.in_(bindparam("keys", expanding=True)))
_RECORD: Final = Prepared(
    update(runs)
    .where(
        runs.c.id == bindparam("key"),
        runs.c.journal_bytes == bindparam("journal_was"),
        runs.c.stdout_bytes == bindparam("stdout_was"),
        runs.c.stderr_bytes == bindparam("stderr_was"),
    )
    .values(
        state=bindparam("to"),
        pending_at=bindparam("pending", type_=runs.c.pending_at.type),
        started_at=bindparam("started", type_=runs.c.started_at.type),
        ended_at=bindparam("ended", type_=runs.c.ended_at.type),
        retry_at=bindparam("again", type_=runs.c.retry_at.type),
        reason=_given("why", runs.c.reason),
        pid=_given("process", runs.c.pid),
        failure=_given("wrong", runs.c.failure),
        error_id=_given("kind", runs.c.error_id),
        cpu_ms=_given("cpu", runs.c.cpu_ms),
        max_rss_bytes=_given("rss", runs.c.max_rss_bytes),
        result_preview=_given("preview", runs.c.result_preview),
        result_kept=_given("kept", runs.c.result_kept),
        journal_bytes=bindparam("journal_now"),
        stdout_bytes=bindparam("stdout_now"),
        stderr_bytes=bindparam("stderr_now"),
        move_count=bindparam("move_total"),
        line_count=bindparam("line_total"),
    )
)
_INSERT_LINE: Final = Prepared(insert(log_lines))
# Not the first: in another attempt of the run it begins anew. What has ended is told of again by another attempt only, in
# which it may not start at all.
_PUT_TASK: Final = Upsert(task_runs, kept={"started_at": "ended_at"})
_PUT_ATTEMPT: Final = Upsert(task_attempts, given=["started_at", "ended_at"])


class IntakeTable:
    """Where the records of runs go in, each exactly once."""

    def __init__(self, connection: Connection, hearing: Hearing) -> None:
        self._connection: Final = connection
        self._hearing: Final = hearing

    def take(self, batches: Sequence[Intake]) -> set[RunKey]:
        """Record the batches; the keys of the runs of which something was applied.

        A batch whose run is not at the position that it starts from is left out whole: it was taken before.
        """
        known = self._progress({batch.run for batch in batches})
        for batch in batches:
            if (progress := known.get(batch.run)) is not None:
                progress.take(batch)
        changed = [progress for progress in known.values() if progress.is_changed]
        if changed:
            self._record(changed)
        return {progress.run for progress in changed}

    def _progress(self, keys: Iterable[RunKey]) -> dict[RunKey, Progress]:
        ordered = sorted(keys)
        known: dict[RunKey, Progress] = {}
        for start in range(0, len(ordered), _PAGE):
            page = {"keys": ordered[start : start + _PAGE]}
            known |= {RunKey(row.id): Progress(row) for row in self._connection.execute(_PROGRESS, page)}
        return known

    def _record(self, changed: Sequence[Progress]) -> None:
        done = _RECORD(self._connection, [progress.row() for progress in changed])
        if done != len(changed):
            raise Conflict("a run changed while its records were taken")  # nobody else can write meanwhile
        put_kinds(self._connection, [kind for progress in changed for kind in progress.kinds])
        take_children(self._connection, changed)
        INSERT_MOVE(self._connection, [row for progress in changed for row in progress.moves])
        _INSERT_LINE(self._connection, [row for progress in changed for row in progress.lines])
        _PUT_TASK(self._connection, [row for progress in changed for row in progress.task_rows()])
        _PUT_ATTEMPT(self._connection, [row for progress in changed for row in progress.attempt_rows()])
        kept = [
            row for progress in changed for row in result_rows(progress.run, list(progress.results.values()))
        ]
        PUT_RESULT(self._connection, kept)
        PUT_QUESTION(self._connection, [row for progress in changed for row in progress.questions])
        let_go(self._connection, [row for progress in changed for row in progress.freed])
        PUT_ARTIFACT(self._connection, [row for one in changed for row in one.artifacts.values()])
        PUT_EVENT(self._connection, [row for one in changed for row in one.events.values()])
        ends = [progress.end() for progress in changed]
        end_with_runs(self._connection, ends)
        counted = [progress for progress in changed if progress.has_ended != progress.had_ended]
        tally(
            self._connection,
            [end for progress in counted for end in progress.has_ended],
            [end for progress in counted for end in progress.had_ended],
        )
        end_attempts(self._connection, [(run, state) for run, state, _ in ends])
        owe_hooks(self._connection, [progress.run for progress in changed if progress.owes_hooks])
        self._hearing.came([came for progress in changed for came in progress.came])
