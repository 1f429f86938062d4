"""Each invariant finds the lie that it is there for, in a database that was sound, and all of them hold in that one."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text

from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.runs import Position
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import RunState, TaskState
from schedulerd.store.database import Database
from schedulerd.store.invariants import INVARIANTS
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW
from tests.store.scenes import (
    Scene,
    a_move,
    a_scene,
    a_task,
    add,
    add_in,
    add_scheduled,
    an_intake,
    claim,
    let_in,
    move,
)

UNBOUND: Final = {
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}
"""What lets a row be there without the one that it belongs to, until the end of the transaction."""

SHORT: Final = {"sqlite": "x'00'", "postgresql": r"'\x00'::bytea"}
_PING: Final = "INSERT INTO pings (schedule_id, run_id, beat, at, tries, next_at, answer) VALUES "
LIES: Final[Mapping[str, tuple[str, ...]]] = {
    "a ping is of the schedule of its run, and tells what a monitor is told": (
        _PING + "({schedule}, {completed}, 'success', 1, 0, 1, '')",
        "UPDATE runs SET schedule_id = {schedule} WHERE id = {completed}; "
        + _PING
        + "({schedule}, {completed}, 'end', 1, 0, 1, '')",
    ),
    "a run with an error says of which kind that is, and only such a run": (
        "UPDATE runs SET failure = '1' WHERE id = {completed}",
        "UPDATE runs SET error_id = 1 WHERE id = {failed}",
    ),
    "a kind of error that a run has is known": (
        "UPDATE runs SET failure = '1', error_id = 1 WHERE id = {failed}",
    ),
    "a run that has ended says when, and only such a run": (
        "UPDATE runs SET ended_at = NULL WHERE id = {completed}",
        "UPDATE runs SET ended_at = 1 WHERE id = {running}",
    ),
    "a live run says when it was claimed": ("UPDATE runs SET pending_at = NULL WHERE id = {running}",),
    "a running run says when it started": ("UPDATE runs SET started_at = NULL WHERE id = {running}",),
    "a run that waits for its first start was never claimed": (
        "UPDATE runs SET attempt = 1 WHERE id = {waiting}",
        "UPDATE runs SET pending_at = 1 WHERE id = {waiting}",
    ),
    "only a run that was claimed has started": ("UPDATE runs SET started_at = 1 WHERE id = {waiting}",),
    "a run that was claimed names its agent, the start of the machine, and its code": (
        "UPDATE runs SET agent = NULL WHERE id = {running}",
        "UPDATE runs SET boot_id = NULL WHERE id = {running}",
        "UPDATE runs SET version_id = NULL WHERE id = {completed}",
    ),
    "a run has as many attempts as claims": (
        "UPDATE runs SET attempt = 2 WHERE id = {running}",
        "UPDATE runs SET attempt = 0 WHERE id = {completed}",
    ),
    "a skipped run has a reason, one of those that there are": (
        "UPDATE runs SET reason = '' WHERE id = {skipped}",
        "UPDATE runs SET reason = 'overlapping' WHERE id = {skipped}",
    ),
    "a run that is to be tried again says when, and only such a run": (
        "UPDATE runs SET retry_at = NULL WHERE id = {retrying}",
        "UPDATE runs SET retry_at = 1 WHERE id = {running}",
    ),
    "no slot of a schedule has two runs": (
        "DROP INDEX ux_runs_slot; UPDATE runs SET schedule_id = {schedule}, slot = 's' WHERE id IN ({completed}, {failed})",
    ),
    "only a run of a schedule has a slot": ("UPDATE runs SET slot = 's' WHERE id = {completed}",),
    "a flow has taken every number that its runs have": (
        "UPDATE flows SET last_number = last_number - 1",
        "UPDATE runs SET number = 0 WHERE id = {completed}",
    ),
    "a run's last move led to its state": ("UPDATE runs SET state = 'failed' WHERE id = {completed}",),
    "a run without a move is as it was recorded": (
        "UPDATE runs SET state = 'completed', ended_at = 1 WHERE id = {waiting}",
    ),
    "moves are numbered from 1 without a gap": (
        "DELETE FROM moves WHERE run_id = {completed} AND number = 1",
        "DELETE FROM moves WHERE run_id = {completed} AND number = 3",
        "UPDATE runs SET move_count = 4 WHERE id = {completed}",
    ),
    "each move is in the table of moves": (
        """UPDATE moves SET "to" = 'completed' WHERE run_id = {running} AND number = 1""",
    ),
    "a move comes from where the one before it led": (
        "UPDATE moves SET was = 'retrying' WHERE run_id = {running} AND number = 1",
        "UPDATE moves SET was = 'paused' WHERE run_id = {failed} AND number = 3",
    ),
    "hooks are due for a move of their run to a final state, and for an attempt that it made": (
        "INSERT INTO hooks_due (run_id, number, attempt) VALUES ({running}, 2, 1)",
        "INSERT INTO hooks_due (run_id, number, attempt) VALUES ({completed}, 3, 2)",
    ),
    "what belongs to a run has its run": tuple(
        f"{{unbound}}; UPDATE {table} SET run_id = 9999 WHERE run_id = {{running}}"
        for table in ("moves", "task_runs", "results", "log_lines", "wishes")
    ),
    "what a run asks, and the secrets that it was given, are forgotten when its attempt has ended": (
        "INSERT INTO questions (run_id, attempt, asked, kind, body, door, asked_at)"
        " VALUES ({completed}, 1, 'a', 'variable', '1', '', 1)",
        "INSERT INTO secret_uses (run_id, attempt, name, sealed)"
        " SELECT {retrying}, 1, 'a', content FROM results WHERE run_id = {completed} AND call = ''",
    ),
    "a wish is for a run that has not ended": ("UPDATE wishes SET run_id = {completed}",),
    "a task run of a run that has ended, or is to be tried again, has ended": (
        "UPDATE task_runs SET state = 'running', ended_at = NULL WHERE run_id = {completed}",
        "UPDATE task_runs SET state = 'pending', ended_at = NULL WHERE run_id = {retrying}",
    ),
    "a task run that has ended says when, and only such a task run": (
        "UPDATE task_runs SET ended_at = NULL WHERE run_id = {completed}",
        "UPDATE task_runs SET ended_at = 1 WHERE run_id = {running} AND state = 'running'",
    ),
    "a child run of a run that has ended, or is to be tried again, has ended": (
        "UPDATE child_runs SET state = 'running', ended_at = NULL WHERE run_id = {completed}",
        "UPDATE child_runs SET run_id = {retrying} WHERE run_id = {running} AND number = 1",
    ),
    "a child run runs, or has ended and says when": (
        "UPDATE child_runs SET ended_at = NULL WHERE run_id = {completed}",
        "UPDATE child_runs SET ended_at = 1 WHERE run_id = {running} AND state = 'running'",
        "UPDATE child_runs SET state = 'pending' WHERE run_id = {running} AND state = 'running'",
    ),
    "child runs are numbered from 1 without a gap": (
        "UPDATE child_runs SET number = 3 WHERE run_id = {running} AND number = 2",
        "UPDATE child_runs SET number = 0 WHERE run_id = {completed}",
    ),
    "what is of a child run has it, and a child run that was called in another comes after it": (
        "UPDATE task_runs SET child = 9 WHERE run_id = {completed}",
        "UPDATE log_lines SET child = 9 WHERE run_id = {completed}",
        "UPDATE child_runs SET child = 2 WHERE run_id = {running}",
    ),
    "a child run was called in an attempt that its run has made": (
        "UPDATE child_runs SET of_attempt = 2 WHERE run_id = {completed}",
        "UPDATE child_runs SET of_attempt = 0 WHERE run_id = {completed}",
    ),
    "what a task or a flow returned is there where it is said to be kept": (
        "DELETE FROM results WHERE run_id = {completed} AND call = ''",
        "DELETE FROM results WHERE run_id = {completed} AND call <> ''",
    ),
    "the journal of a run was read at least as far as its tasks and results": (
        "UPDATE runs SET journal_bytes = 0 WHERE id = {running}",
    ),
    "no file of a run was read less than not at all": (
        "UPDATE runs SET stderr_bytes = -1 WHERE id = {running}",
    ),
    "log lines are numbered from 1 without a gap": (
        "DELETE FROM log_lines WHERE run_id = {completed}",
        "UPDATE log_lines SET number = 2 WHERE run_id = {completed}",
    ),
    "a log that was removed has no line": ("UPDATE runs SET log_removed = 1 WHERE id = {completed}",),
    "a schedule that does not allow overlaps has one run going on at most": (
        "UPDATE runs SET schedule_id = {queues} WHERE id = {retrying}",
    ),
    "no more runs wait for one of their schedule than it may queue": (
        "UPDATE schedules SET queue_limit = 0 WHERE id = {queues}",
        "UPDATE schedules SET overlap = 'skip' WHERE id = {queues}",
    ),
    "a run that waits for one of its schedule has a schedule": (
        "UPDATE runs SET schedule_id = NULL, slot = NULL WHERE id = {queued}",
    ),
    "only a run that makes up for a missed time is passed over": (
        "UPDATE runs SET queued = 2 WHERE id = {queued}",
        "UPDATE runs SET queued = 3, caught_up = 1 WHERE id = {queued}",
    ),
    "a run of a schedule that waits is in the pool, and has the priority, that is asked for now": (
        "UPDATE runs SET pool = 'other' WHERE id = {waiting}",
        "UPDATE runs SET priority = 7 WHERE id = {waiting}",
    ),
    "a schedule that is paused is never due": (
        "UPDATE schedules SET next_due = watermark + 1 WHERE id = {paused}",
    ),
    "a schedule that is paused says since when, by whom and why, and only such a schedule": (
        "UPDATE schedules SET paused_by = NULL WHERE id = {paused}",
        "UPDATE schedules SET paused_reason = 'why' WHERE id = {schedule}",
    ),
    "a schedule that was removed is never due": ("UPDATE schedules SET removed_at = 1 WHERE id = {schedule}",),
    "every run that has ended is counted in its hour": (
        "UPDATE runs SET ended_at = ended_at + 3600000000 WHERE id = {failed}",
        "UPDATE tallies SET count = count - 1 WHERE state = 'completed'",
    ),
    "what is counted of all flows is the sum of what is counted of each": (
        "UPDATE tallies SET count = count + 1 WHERE flow_id = 0",
        "UPDATE tallies SET total_ms = total_ms + 1 WHERE flow_id = 0 AND state = 'completed'",
        "DELETE FROM tallies WHERE flow_id = 0 AND state = 'skipped'",
    ),
    "what is counted are runs, which took no time if they never ran": (
        "UPDATE tallies SET count = 0",
        "UPDATE tallies SET total_ms = 1 WHERE length = -1",
    ),
    "a schedule is next due after all that was decided of it": (
        "UPDATE schedules SET next_due = watermark WHERE id = {schedule}",
    ),
    "what was last due of a schedule by times was decided": (
        "UPDATE schedules SET last_due = watermark + 1 WHERE id = {schedule}",
    ),
    "what lets somebody in is kept as its SHA-256": (
        "UPDATE sessions SET digest = {short}",
        "UPDATE api_tokens SET digest = {short}",
        "UPDATE sign_in_codes SET digest = {short}",
    ),
    "a session or a token is a user's, or has a role of its own": (
        "UPDATE sessions SET role = 'admin'",
        "UPDATE api_tokens SET role = NULL",
    ),
    "a role is one of those that there are": (
        "UPDATE users SET role = 'root'",
        "UPDATE sign_in_codes SET role = ''",
    ),
    "the password of a user is kept as a hash of Argon2": (
        "UPDATE users SET password_hash = 'hunter2hunter2'",
    ),
    "a token expires after it was made": ("UPDATE api_tokens SET expires_at = created_at",),
}  # fmt: skip


def a_history(tx: Transaction) -> dict[str, int]:
    """A database in which there is one of most things; the keys of what is in it."""
    scene = a_scene(tx)
    queues = a_scene(tx, name="queues", policies=Policies(overlap=Overlap.QUEUE, queue_limit=1))
    paused = a_scene(tx, name="paused")
    tx.schedules.pause("paused-morning", at=NOW, by="kim", reason="a holiday")
    going, queued = (add_scheduled(tx, queues, NOW - second * A_SECOND) for second in (2, 1))
    assert going in [run.key for run in claim(tx)]
    claim(tx)  # decides that the second one waits
    keys = {
        "completed": _completed(tx, scene),
        "running": _running(tx, scene),
        "retrying": _retrying(tx, scene),
        "failed": add_in(tx, scene.flow, RunState.FAILED),
        "skipped": add_in(tx, scene.flow, RunState.SKIPPED),
        "cancelled": add_in(tx, scene.flow, RunState.CANCELLED),
        "waiting": add_scheduled(tx, scene, NOW + timedelta(hours=1)),
        "queued": queued,
    }
    let_in(tx)
    return {**keys, "schedule": scene.schedule, "queues": queues.schedule, "paused": paused.schedule}


def _completed(tx: Transaction, scene: Scene) -> RunKey:
    """One that returned something, as a task of it did, and said a line."""
    key = add(tx, scene.flow)
    move(tx, key, RunState.PENDING)
    values = [Result(kind=ResultKind.JSON, call=call, content=b"1") for call in ("extract 1", OF_FLOW)]
    task = a_task(state=TaskState.COMPLETED, ended_at=NOW, call="extract 1", kept=ResultKind.JSON)
    moves = (a_move(RunState.RUNNING), a_move(RunState.COMPLETED))
    more = {"results": tuple(values), "result_kept": ResultKind.JSON}
    tx.intake.take([an_intake(key, moves=moves, tasks=(task,), subflows=(_child(1),), **more)])
    return key


def _child(task: int) -> Subflow:
    """A child run that goes on, as far as was told."""
    made = RunId(uuid7(NOW, entropy=task))
    return Subflow(task=task, id=made, flow="load", name="load", state=RunState.RUNNING, started_at=NOW)


def _running(tx: Transaction, scene: Scene) -> RunKey:
    """One of which a task has returned something, another goes on, and which somebody wants cancelled."""
    key = add(tx, scene.flow)
    move(tx, key, RunState.PENDING)
    done = a_task(1, TaskState.COMPLETED, ended_at=NOW, call="extract 1", kept=ResultKind.PICKLE)
    value = Result(kind=ResultKind.PICKLE, call="extract 1", content=b"1")
    children = (_child(1), _child(2))
    tx.intake.take([an_intake(key, tasks=(done, a_task(2)), results=(value,), subflows=children)])
    tx.runs.ask_cancel(key, at=NOW, actor="kim", reason="")
    return key


def _retrying(tx: Transaction, scene: Scene) -> RunKey:
    key = add(tx, scene.flow)
    move(tx, key, RunState.PENDING)
    tx.intake.take([an_intake(key, moves=(a_move(RunState.RUNNING), a_move(RunState.RETRYING)))])
    return key


class Undone(Exception):
    """So that nothing of a lie stays."""


def found(database: Database, statements: str) -> list[str]:
    """What is found after these statements, of which nothing stays."""
    broken: list[str] = []
    with suppress(Undone), database.write() as tx:
        for statement in statements.split("; "):
            tx._connection.execute(text(statement))
        broken = tx.broken_invariants()
        raise Undone
    return broken


def test_there_is_a_lie_for_each_invariant() -> None:
    assert set(LIES) == set(INVARIANTS)


@pytest.mark.parametrize("words", INVARIANTS)
def test_a_lie_is_found(database: Database, words: str) -> None:
    with database.write() as tx:
        keys: dict[str, object] = {**a_history(tx)}
        dialect = tx._connection.dialect.name

    for lie in LIES[words]:
        assert words in found(
            database, lie.format_map(keys | {"unbound": UNBOUND[dialect], "short": SHORT[dialect]})
        ), lie


def test_a_run_that_ends_takes_its_tasks_and_the_wish_for_it_along(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        runs = {add(tx, flow): state for state in (RunState.COMPLETED, RunState.CRASHED, RunState.CANCELLED)}
        for key, state in runs.items():
            move(tx, key, RunState.PENDING)
            tx.intake.take([an_intake(key)])
            tx.runs.ask_cancel(key, at=NOW, actor="kim", reason="")
            end = an_intake(key, was=Position(journal=100), now=Position(journal=110), moves=(a_move(state),))
            tx.intake.take([end])

        assert tx.runs.cancel_wishes() == []
        ended = {state: [task.state for task in tx.tasks.tasks(key)] for key, state in runs.items()}
    assert ended == {
        RunState.COMPLETED: [TaskState.CRASHED],  # its own end was lost
        RunState.CRASHED: [TaskState.CRASHED],
        RunState.CANCELLED: [TaskState.CANCELLED],
    }


def test_a_wish_stays_while_its_run_waits_for_another_try(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        move(tx, key, RunState.PENDING)
        tx.runs.ask_cancel(key, at=NOW, actor="kim", reason="")
        tx.intake.take([an_intake(key, moves=(a_move(RunState.RUNNING), a_move(RunState.RETRYING)))])

        assert [wish.run for wish in tx.runs.cancel_wishes()] == [key]


def test_a_schedule_that_looks_forward_again_was_not_last_due_in_the_future(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        ahead = NOW + timedelta(days=40)
        for last, known in ((ahead, None), (NOW, NOW)):
            tx.schedules.advance(scene.schedule, watermark=ahead, next_due=ahead + A_SECOND, last_due=last)
            forward = {"watermark": NOW, "next_due": NOW + A_SECOND, "first_seen": NOW}
            tx.schedules.reopen(scene.schedule, **forward)

            assert tx.schedules.get("etl-morning").last_due == known
