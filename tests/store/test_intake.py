"""The intake: what journals bring is recorded whole, once, and for many runs at a time."""

from datetime import timedelta

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine
from schedulerd.domain.runs import Move, Position
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_new_run
from tests.store.scenes import a_line, a_move, a_scene, a_task, add, add_in, an_intake, claim

FAILURE = Failure(type="KeyError", message="'region'", file="etl.py", line=7, task="load")
HALF, END = Position(journal=100), Position(journal=180, stdout=40, stderr=2)
FURTHER = Position(journal=260, stdout=40, stderr=2)


def messages(tx: Transaction, run: RunKey) -> list[tuple[int, str]]:
    return [(found.number, found.line.message) for found in tx.logs.lines(run, limit=100)]


def test_an_intake_brings_moves_tasks_and_lines(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        applied = tx.intake.take([an_intake(key, pid=77, started_at=NOW + A_SECOND)])
        run = tx.runs.by_key(key)

        assert applied == {key}
        assert (run.state, run.pid, run.position) == (RunState.RUNNING, 77, HALF)
        assert run.started_at == NOW + A_SECOND
        assert tx.tasks.tasks(key) == [a_task()]
        assert messages(tx, key) == [(1, "hello")]
        assert [move.to for move in tx.runs.moves(key)] == [RunState.PENDING, RunState.RUNNING]


def test_an_intake_goes_on_where_the_last_one_ended(database: Database) -> None:
    done = a_task(state=TaskState.COMPLETED, started_at=None, ended_at=NOW, result_preview="[1, 2]")
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key)])
        tx.intake.take(
            [
                an_intake(
                    key,
                    was=HALF,
                    now=END,
                    moves=(a_move(RunState.COMPLETED, at=NOW + A_SECOND, message="all is well"),),
                    tasks=(done, a_task(2, name="load", upstream=(1,))),
                    lines=(a_line("one"), a_line("two", task=2)),
                    cpu_ms=3,
                    max_rss_bytes=5_000_000_000,
                    result_preview="42",
                )
            ]
        )
        run = tx.runs.by_key(key)
        tasks = tx.tasks.tasks(key)

        assert (run.state, run.position, run.ended_at) == (RunState.COMPLETED, END, NOW + A_SECOND)
        assert (run.cpu_ms, run.max_rss_bytes, run.result_preview) == (3, 5_000_000_000, "42")
        assert [(task.state, task.started_at) for task in tasks] == [
            (TaskState.COMPLETED, NOW),
            (TaskState.CRASHED, NOW),  # its own end was lost
        ]
        assert tasks[1].upstream == (1,)
        assert messages(tx, key) == [(1, "hello"), (2, "one"), (3, "two")]
        assert tx.logs.count(key) == 3


def test_what_was_taken_once_is_not_taken_again(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key)])
        before = tx.runs.by_key(key)

        assert tx.intake.take([an_intake(key)]) == set()
        assert tx.runs.by_key(key) == before
        assert tx.logs.count(key) == 1


def test_only_those_that_fit_are_taken(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        fits, ahead = (add_in(tx, flow, RunState.PENDING) for _ in range(2))

        taken = tx.intake.take([an_intake(fits), an_intake(ahead, was=HALF, now=END), an_intake(RunKey(99))])

        assert taken == {fits}
        assert tx.runs.by_key(ahead).position == Position()


def test_two_batches_of_a_run_in_one_call_follow_each_other(database: Database) -> None:
    done = a_task(state=TaskState.COMPLETED, started_at=None, ended_at=NOW + A_SECOND)
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        second = an_intake(
            key, was=HALF, now=END, moves=(a_move(RunState.FAILED),), tasks=(done,), failure=FAILURE
        )
        tx.intake.take([an_intake(key), second])
        run = tx.runs.by_key(key)
        (task,) = tx.tasks.tasks(key)

        assert (run.state, run.position, run.failure) == (RunState.FAILED, END, FAILURE)
        assert (task.state, task.started_at) == (TaskState.COMPLETED, NOW)
        assert messages(tx, key) == [(1, "hello"), (2, "hello")]


def test_several_moves_of_one_batch_are_made_in_order(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        moves = (a_move(RunState.RUNNING), a_move(RunState.PAUSED), a_move(RunState.RUNNING))
        tx.intake.take([an_intake(key, moves=moves)])

        made = [(move.was, move.to) for move in tx.runs.moves(key)][1:]

    assert made == [
        (RunState.PENDING, RunState.RUNNING),
        (RunState.RUNNING, RunState.PAUSED),
        (RunState.PAUSED, RunState.RUNNING),
    ]


def test_a_move_that_the_table_does_not_allow_is_dropped(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.CANCELLING)
        moves = (a_move(RunState.RUNNING), a_move(RunState.COMPLETED))

        assert tx.intake.take([an_intake(key, moves=moves)]) == {key}
        assert tx.runs.by_key(key).state is RunState.CANCELLING
        assert messages(tx, key) == [(1, "hello")]


def test_the_last_words_of_a_run_that_has_ended_are_kept_but_not_its_end_changed(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.TIMED_OUT)
        before = tx.runs.by_key(key)
        late = an_intake(
            key,
            moves=(a_move(RunState.FAILED),),
            failure=FAILURE,
            reason="late",
            ended_at=NOW + A_SECOND,
            cpu_ms=9,
        )
        tx.intake.take([late])
        after = tx.runs.by_key(key)

        assert (after.state, after.ended_at, after.reason) == (before.state, before.ended_at, before.reason)
        assert after.failure is None
        assert (after.cpu_ms, tx.logs.count(key)) == (9, 1)


def test_the_end_that_the_files_tell_counts_more_than_when_it_was_noticed(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        batch = an_intake(
            key,
            moves=(a_move(RunState.CRASHED, at=NOW + timedelta(hours=1)),),
            ended_at=NOW + A_SECOND,
            reason="signal 9",
        )
        tx.intake.take([batch])
        run = tx.runs.by_key(key)

    assert (run.ended_at, run.reason) == (NOW + A_SECOND, "signal 9")


def test_a_run_that_goes_on_has_no_end(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        tx.intake.take([an_intake(key, moves=(), ended_at=NOW)])

        assert tx.runs.by_key(key).ended_at is None


def test_what_a_batch_does_not_say_stays(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, pid=77, result_preview="1", cpu_ms=1, reason="so far")])
        tx.intake.take([an_intake(key, was=HALF, now=END, moves=(), tasks=(), lines=())])
        run = tx.runs.by_key(key)

    assert (run.pid, run.result_preview, run.cpu_ms, run.reason) == (77, "1", 1, "so far")


def test_a_task_that_is_tried_again_keeps_when_it_first_started(database: Database) -> None:
    again = a_task(state=TaskState.RUNNING, attempt=2, started_at=None)
    failed = a_task(state=TaskState.RETRYING, failure=FAILURE, message="retry in 10 s")
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, tasks=(a_task(), failed))])
        retrying = tx.tasks.tasks(key)
        tx.intake.take([an_intake(key, was=HALF, now=END, tasks=(again,))])
        running = tx.tasks.tasks(key)

    assert retrying == [failed]
    assert [(task.attempt, task.started_at, task.failure) for task in running] == [(2, NOW, None)]


def test_an_odd_character_holds_up_nothing(database: Database) -> None:
    odd = "a \x00 b \udc80 c"
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        batch = an_intake(
            key,
            lines=(a_line(odd, logger=odd),),
            tasks=(
                a_task(name=odd, message=odd, result_preview=odd, failure=Failure(type=odd, message=odd)),
            ),
            moves=(a_move(RunState.RUNNING, message=odd), a_move(RunState.FAILED)),
            failure=Failure(type=odd, message=odd),
            reason=odd,
            result_preview=odd,
        )

        assert tx.intake.take([batch]) == {key}
        assert messages(tx, key) == [(1, "a \ufffd b \ufffd c")]


def test_hundreds_of_runs_are_taken_in_one_call(database: Database) -> None:
    lines: tuple[LogLine, ...] = tuple(a_line(f"line {n}") for n in range(5))
    tasks = tuple(a_task(n, name=f"task {n}") for n in (1, 2, 3))
    with database.write() as tx:
        flow = a_scene(tx).flow
        tx.runs.add([a_new_run(flow) for _ in range(1_100)])
        runs = claim(tx, 2_000, max_running=2_000)
        batches = [an_intake(run.key, lines=lines, tasks=tasks) for run in runs]

        assert len(tx.intake.take(batches)) == 1_100
        assert tx.intake.take(batches) == set()
        assert tx.logs.count(runs[-1].key) == 5


def test_an_intake_of_nothing_is_nothing(database: Database) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow)

        assert tx.intake.take([]) == set()


def test_runs_that_end_badly_together_leave_no_task_run_going_on(database: Database) -> None:
    going_on = TaskRun(number=1, name="extract", state=TaskState.RUNNING, started_at=NOW)
    with database.write() as tx:
        flow = a_scene(tx).flow
        keys = [add_in(tx, flow, RunState.RUNNING) for _ in range(3)]
        crash = Move(at=NOW, was=RunState.RUNNING, to=RunState.CRASHED, actor="run")
        ends = [
            Intake(run=key, was=Position(), now=HALF, tasks=(going_on,), moves=(crash,), ended_at=NOW)
            for key in keys
        ]

        assert tx.intake.take(ends) == set(keys)
        assert [task.state for key in keys for task in tx.tasks.tasks(key)] == [TaskState.CRASHED] * 3


@pytest.mark.parametrize("state", [TaskState.UPSTREAM_FAILED, TaskState.SKIPPED, TaskState.PENDING])
def test_a_task_that_does_not_start_in_another_attempt_of_the_run_has_no_start(
    database: Database, state: TaskState
) -> None:
    failed = a_task(state=TaskState.FAILED, started_at=None, ended_at=NOW)
    ended_at = None if state is TaskState.PENDING else NOW + A_SECOND
    unrun = a_task(state=state, started_at=None, ended_at=ended_at)
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, tasks=(a_task(),))])
        tx.intake.take([an_intake(key, was=HALF, now=END, moves=(), tasks=(failed,))])
        (before,) = tx.tasks.tasks(key)
        tx.intake.take([an_intake(key, was=END, now=FURTHER, moves=(), tasks=(unrun,))])
        (task,) = tx.tasks.tasks(key)

    assert (before.state, before.started_at) == (TaskState.FAILED, NOW)
    assert (task.state, task.started_at, task.ended_at) == (state, None, ended_at)


def test_a_task_that_begins_anew_in_another_attempt_of_the_run_started_then(database: Database) -> None:
    failed = a_task(state=TaskState.FAILED, started_at=None, ended_at=NOW)
    anew = a_task(started_at=NOW + A_SECOND)
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, tasks=(a_task(), failed))])
        tx.intake.take([an_intake(key, was=HALF, now=END, moves=(), tasks=(anew,))])
        (task,) = tx.tasks.tasks(key)

    assert (task.state, task.started_at, task.ended_at) == (TaskState.RUNNING, NOW + A_SECOND, None)
