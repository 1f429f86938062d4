"""What is true of every database at rest, as queries that must give no row. For `db check`, and after every test."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, text

from schedulerd.domain.access import Role
from schedulerd.domain.heartbeats import Beat
from schedulerd.domain.results import ResultKind
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.states import ACTIVE, ENDED, FINAL, LIVE, MOVES, UNFINISHED_TASKS, RunState, TaskState
from schedulerd.store.tables import metadata


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_MOVES: Final = _words(f"{was}>{to}" for was, allowed in MOVES.items() for to in allowed)
_OVER: Final = _words(FINAL | {RunState.RETRYING})
_UNFINISHED: Final = _words(UNFINISHED_TASKS)
_KEPT_APART: Final = _words({ResultKind.JSON, ResultKind.PICKLE})
_BELONGINGS: Final = sorted(
    table.name for table in metadata.sorted_tables if any(column.name == "run_id" for column in table.c)
)

_OF_RUNS: Final[Mapping[str, str]] = {
    "a run that has ended says when, and only such a run": f"""
        SELECT id FROM runs WHERE (state IN ({_words(FINAL)})) <> (ended_at IS NOT NULL)""",
    "a live run says when it was claimed": f"""
        SELECT id FROM runs WHERE state IN ({_words(LIVE)}) AND pending_at IS NULL""",
    "a running run says when it started": """
        SELECT id FROM runs WHERE state IN ('running', 'paused') AND started_at IS NULL""",
    "a run that waits for its first start was never claimed": """
        SELECT id FROM runs WHERE state = 'scheduled' AND (pending_at IS NOT NULL OR attempt <> 0)""",
    "only a run that was claimed has started": """
        SELECT id FROM runs WHERE started_at IS NOT NULL AND pending_at IS NULL""",
    "a run that was claimed names its agent, the start of the machine, and its code": """
        SELECT id FROM runs WHERE pending_at IS NOT NULL
        AND (agent IS NULL OR boot_id IS NULL OR version_id IS NULL)""",
    "a run has as many attempts as claims": """
        SELECT runs.id FROM runs LEFT JOIN moves ON moves.run_id = runs.id AND moves."to" = 'pending'
        GROUP BY runs.id, runs.attempt HAVING count(moves.number) <> runs.attempt""",
    "a skipped run has a reason, one of those that there are": f"""
        SELECT id FROM runs WHERE state = 'skipped'
        AND NOT ({" OR ".join(f"reason = '{one}' OR reason LIKE '{one}: %'" for one in SkipReason)})""",
    "a run that is to be tried again says when, and only such a run": """
        SELECT id FROM runs WHERE (state = 'retrying') <> (retry_at IS NOT NULL)""",
    "no slot of a schedule has two runs": """
        SELECT schedule_id FROM runs WHERE slot IS NOT NULL GROUP BY schedule_id, slot HAVING count(*) > 1""",
    "only a run of a schedule has a slot": """
        SELECT id FROM runs WHERE slot IS NOT NULL AND schedule_id IS NULL""",
    "a run with an error says of which kind that is, and only such a run": """
        SELECT id FROM runs WHERE (failure IS NULL) <> (error_id IS NULL)""",
    "a kind of error that a run has is known": """
        SELECT runs.id FROM runs LEFT JOIN error_kinds ON error_kinds.id = runs.error_id
        WHERE runs.error_id IS NOT NULL AND error_kinds.id IS NULL""",
    "a flow has taken every number that its runs have": """
        SELECT flows.id FROM flows JOIN runs ON runs.flow_id = flows.id
        GROUP BY flows.id, flows.last_number HAVING max(runs.number) > flows.last_number OR min(runs.number) < 1""",
}
_OF_MOVES: Final[Mapping[str, str]] = {
    "a run's last move led to its state": """
        SELECT runs.id FROM runs JOIN moves ON moves.run_id = runs.id AND moves.number = runs.move_count
        WHERE moves."to" <> runs.state""",
    "a run without a move is as it was recorded": """
        SELECT id FROM runs WHERE move_count = 0 AND state NOT IN ('scheduled', 'skipped')""",
    "moves are numbered from 1 without a gap": """
        SELECT runs.id FROM runs LEFT JOIN moves ON moves.run_id = runs.id GROUP BY runs.id, runs.move_count
        HAVING count(moves.number) <> runs.move_count OR coalesce(max(moves.number), 0) <> runs.move_count
        OR coalesce(min(moves.number), 1) <> 1""",
    "each move is in the table of moves": f"""
        SELECT run_id FROM moves WHERE was || '>' || "to" NOT IN ({_MOVES})""",
    "a move comes from where the one before it led": """
        SELECT later.run_id FROM moves AS later
        LEFT JOIN moves AS earlier ON earlier.run_id = later.run_id AND earlier.number = later.number - 1
        WHERE later.was <> coalesce(earlier."to", 'scheduled')""",
    "hooks are due for a move of their run to a final state, and for an attempt that it made": f"""
        SELECT hooks_due.run_id FROM hooks_due JOIN runs ON runs.id = hooks_due.run_id
        LEFT JOIN moves ON moves.run_id = hooks_due.run_id AND moves.number = hooks_due.number
        WHERE coalesce(moves."to", '') NOT IN ({_words(FINAL)}) OR hooks_due.attempt > runs.attempt""",
}
_OF_WHAT_RUNS_BROUGHT: Final[Mapping[str, str]] = {
    "what belongs to a run has its run": " UNION ALL ".join(
        f"SELECT run_id FROM {table} WHERE run_id IS NOT NULL AND run_id NOT IN (SELECT id FROM runs)"
        for table in _BELONGINGS
    ),
    "a wish is for a run that has not ended": f"""
        SELECT wishes.id FROM wishes JOIN runs ON runs.id = wishes.run_id
        WHERE runs.state IN ({_words(FINAL)})""",
    "what a run asks, and the secrets that it was given, are forgotten when its attempt has ended": f"""
        SELECT runs.id FROM runs JOIN (
        SELECT run_id FROM questions UNION ALL SELECT run_id FROM secret_uses
        ) AS open ON open.run_id = runs.id WHERE runs.state IN ({_OVER})""",
    "a task run of a run that has ended, or is to be tried again, has ended": f"""
        SELECT run_id FROM task_runs JOIN runs ON runs.id = task_runs.run_id
        WHERE task_runs.state IN ({_UNFINISHED}) AND runs.state IN ({_OVER})""",
    "a task run that has ended says when, and only such a task run": f"""
        SELECT run_id FROM task_runs WHERE (state IN ({_UNFINISHED})) <> (ended_at IS NULL)""",
    "a child run of a run that has ended, or is to be tried again, has ended": f"""
        SELECT run_id FROM child_runs JOIN runs ON runs.id = child_runs.run_id
        WHERE child_runs.state = 'running' AND runs.state IN ({_OVER})""",
    "a child run runs, or has ended and says when": f"""
        SELECT run_id FROM child_runs WHERE state NOT IN ('running', {_words(ENDED)})
        OR (state = 'running') <> (ended_at IS NULL)""",
    "child runs are numbered from 1 without a gap": """
        SELECT run_id FROM child_runs GROUP BY run_id HAVING count(*) <> max(number) OR min(number) <> 1""",
    "what is of a child run has it, and a child run that was called in another comes after it": """
        SELECT told.run_id FROM (
        SELECT run_id, child FROM task_runs WHERE child IS NOT NULL
        UNION SELECT run_id, child FROM log_lines WHERE child IS NOT NULL
        UNION SELECT run_id, child FROM child_runs WHERE child IS NOT NULL
        ) AS told LEFT JOIN child_runs ON child_runs.run_id = told.run_id AND child_runs.number = told.child
        WHERE child_runs.run_id IS NULL
        UNION ALL SELECT run_id FROM child_runs WHERE child >= number""",
    "a child run was called in an attempt that its run has made": """
        SELECT run_id FROM child_runs JOIN runs ON runs.id = child_runs.run_id
        WHERE child_runs.of_attempt < 1 OR child_runs.of_attempt > runs.attempt""",
    "what a task or a flow returned is there where it is said to be kept": f"""
        SELECT run_id FROM task_runs WHERE kept IN ({_KEPT_APART})
        AND state IN ({_words({TaskState.COMPLETED, TaskState.CACHED})})
        AND NOT EXISTS (SELECT 1 FROM results
        WHERE results.run_id = task_runs.run_id AND results.call = task_runs.call)
        UNION ALL SELECT id FROM runs WHERE result_kept IN ({_KEPT_APART})
        AND NOT EXISTS (SELECT 1 FROM results WHERE results.run_id = runs.id AND results.call = '')""",
    "the journal of a run was read at least as far as its tasks and results": """
        SELECT runs.id FROM runs JOIN (
        SELECT run_id FROM results UNION ALL SELECT run_id FROM task_runs
        ) AS brought ON brought.run_id = runs.id
        WHERE NOT EXISTS (SELECT 1 FROM moves WHERE moves.run_id = runs.id AND moves."to" = 'retrying')
        GROUP BY runs.id, runs.journal_bytes HAVING count(*) > runs.journal_bytes""",
    "no file of a run was read less than not at all": """
        SELECT id FROM runs WHERE journal_bytes < 0 OR stdout_bytes < 0 OR stderr_bytes < 0""",
    "log lines are numbered from 1 without a gap": """
        SELECT runs.id FROM runs LEFT JOIN log_lines ON log_lines.run_id = runs.id
        WHERE runs.log_removed = 0 GROUP BY runs.id, runs.line_count
        HAVING count(log_lines.number) <> runs.line_count
        OR coalesce(max(log_lines.number), 0) <> runs.line_count OR coalesce(min(log_lines.number), 1) <> 1""",
    "a log that was removed has no line": """
        SELECT runs.id FROM runs JOIN log_lines ON log_lines.run_id = runs.id WHERE runs.log_removed <> 0""",
}
_OF_WAITING: Final[Mapping[str, str]] = {
    "a schedule that does not allow overlaps has one run going on at most": f"""
        SELECT schedules.id FROM schedules JOIN runs ON runs.schedule_id = schedules.id
        WHERE schedules.overlap <> 'allow' AND runs.state IN ({_words(ACTIVE)})
        GROUP BY schedules.id HAVING count(*) > 1""",
    "no more runs wait for one of their schedule than it may queue": """
        SELECT schedules.id FROM schedules JOIN runs ON runs.schedule_id = schedules.id
        WHERE runs.state = 'scheduled' AND runs.queued <> 0 AND runs.caught_up = 0
        GROUP BY schedules.id, schedules.overlap, schedules.queue_limit
        HAVING count(*) > CASE schedules.overlap WHEN 'queue' THEN schedules.queue_limit
        WHEN 'replace' THEN 1 ELSE 0 END""",
    "a run that waits for one of its schedule has a schedule": """
        SELECT id FROM runs WHERE queued <> 0 AND schedule_id IS NULL""",
    "only a run that makes up for a missed time is passed over": """
        SELECT id FROM runs WHERE queued NOT IN (0, 1) AND (queued <> 2 OR caught_up = 0)""",
    "a run of a schedule that waits is in the pool, and has the priority, that is asked for now": """
        SELECT runs.id FROM runs JOIN schedules ON schedules.id = runs.schedule_id
        JOIN flows ON flows.id = runs.flow_id WHERE runs.state = 'scheduled'
        AND (runs.pool <> coalesce(schedules.pool, flows.pool, '')
        OR runs.priority <> coalesce(schedules.priority, flows.priority))""",
}
_OF_SCHEDULES: Final[Mapping[str, str]] = {
    "a schedule that is paused is never due": """
        SELECT id FROM schedules WHERE paused_at IS NOT NULL AND next_due IS NOT NULL""",
    "a schedule that is paused says since when, by whom and why, and only such a schedule": """
        SELECT id FROM schedules WHERE (paused_at IS NULL) <> (paused_by IS NULL)
        OR (paused_at IS NULL) <> (paused_reason IS NULL)""",
    "a schedule that was removed is never due": """
        SELECT id FROM schedules WHERE removed_at IS NOT NULL AND next_due IS NOT NULL""",
    "a schedule is next due after all that was decided of it": """
        SELECT id FROM schedules WHERE next_due <= watermark""",
    "what was last due of a schedule by times was decided": """
        SELECT id FROM schedules WHERE boot_id IS NULL AND cause IS NULL AND last_due > watermark""",
    "a ping is of the schedule of its run, and tells what a monitor is told": f"""
        SELECT pings.id FROM pings JOIN runs ON runs.id = pings.run_id
        WHERE coalesce(runs.schedule_id, 0) <> pings.schedule_id OR pings.beat NOT IN ({_words(Beat)})""",
}

_DIGESTS: Final = ("sessions", "api_tokens", "sign_in_codes")
_OF_ACCESS: Final[Mapping[str, str]] = {
    "what lets somebody in is kept as its SHA-256": " UNION ALL ".join(
        f"SELECT digest FROM {table} WHERE length(digest) <> 32" for table in _DIGESTS
    ),
    "a session or a token is a user's, or has a role of its own": " UNION ALL ".join(
        f"SELECT digest FROM {table} WHERE (user_name IS NULL) <> (role IS NOT NULL)"
        for table in ("sessions", "api_tokens")
    ),
    "a role is one of those that there are": " UNION ALL ".join(
        f"SELECT role FROM {table} WHERE role NOT IN ({_words(Role)})"
        for table in ("users", "sessions", "api_tokens", "sign_in_codes")
    ),
    "the password of a user is kept as a hash of Argon2": """
        SELECT name FROM users WHERE password_hash NOT LIKE '$argon2id$%'""",
    "a token expires after it was made": """
        SELECT id FROM api_tokens WHERE expires_at <= created_at""",
}

# Runs are removed, and what was counted of them stays.
_OF_TALLIES: Final[Mapping[str, str]] = {
    "every run that has ended is counted in its hour": """
        SELECT ended.flow_id FROM (
        SELECT flow_id, ended_at / 3600000000 AS hour, state, count(*) AS number FROM runs
        WHERE ended_at IS NOT NULL GROUP BY flow_id, ended_at / 3600000000, state
        ) AS ended LEFT JOIN (
        SELECT flow_id, hour, state, sum(count) AS number FROM tallies GROUP BY flow_id, hour, state
        ) AS counted ON counted.flow_id = ended.flow_id AND counted.hour = ended.hour
        AND counted.state = ended.state
        WHERE coalesce(counted.number, 0) < ended.number""",
    "what is counted of all flows is the sum of what is counted of each": """
        SELECT hour FROM tallies GROUP BY hour, state, length
        HAVING sum(CASE WHEN flow_id = 0 THEN count ELSE -count END) <> 0
        OR sum(CASE WHEN flow_id = 0 THEN total_ms ELSE -total_ms END) <> 0""",
    "what is counted are runs, which took no time if they never ran": """
        SELECT flow_id FROM tallies WHERE count < 1 OR total_ms < 0 OR (length = -1 AND total_ms <> 0)""",
}

INVARIANTS: Final[Mapping[str, str]] = {
    **_OF_RUNS,
    **_OF_MOVES,
    **_OF_WHAT_RUNS_BROUGHT,
    **_OF_WAITING,
    **_OF_SCHEDULES,
    **_OF_TALLIES,
    **_OF_ACCESS,
}


def broken(connection: Connection) -> list[str]:
    """The invariants that do not hold, in words."""
    return [
        words for words, query in INVARIANTS.items() if connection.execute(text(query)).first() is not None
    ]
