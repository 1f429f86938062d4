"""What is true of every database at rest, as queries that must give no row. For `db check`, and after every test."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, text

from schedulerd.domain.states import ACTIVE, FINAL, LIVE, MOVES, RunState


def _states(states: frozenset[RunState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


_MOVES: Final = ", ".join(f"'{was}>{to}'" for was, allowed in MOVES.items() for to in sorted(allowed))

INVARIANTS: Final[Mapping[str, str]] = {
    "a run that has ended says when, and only such a run": f"""
        SELECT id FROM runs WHERE (state IN ({_states(FINAL)})) <> (ended_at IS NOT NULL)""",
    "a live run says when it was claimed": f"""
        SELECT id FROM runs WHERE state IN ({_states(LIVE)}) AND pending_at IS NULL""",
    "a running run says when it started": """
        SELECT id FROM runs WHERE state = 'running' AND started_at IS NULL""",
    "a skipped run has a reason": """
        SELECT id FROM runs WHERE state = 'skipped' AND reason = ''""",
    "a run that is to be tried again says when, and only such a run": """
        SELECT id FROM runs WHERE (state = 'retrying') <> (retry_at IS NOT NULL)""",
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
        WHERE coalesce(moves."to", '') NOT IN ({_states(FINAL)}) OR hooks_due.attempt > runs.attempt""",
    "a task run of a run that ended badly has ended": f"""
        SELECT run_id FROM task_runs JOIN runs ON runs.id = task_runs.run_id
        WHERE task_runs.state IN ('pending', 'running', 'retrying')
        AND runs.state IN ({_states(FINAL - {RunState.COMPLETED})})""",
    "log lines are numbered from 1 without a gap": """
        SELECT runs.id FROM runs LEFT JOIN log_lines ON log_lines.run_id = runs.id
        WHERE runs.log_removed = 0 GROUP BY runs.id, runs.line_count
        HAVING count(log_lines.number) <> runs.line_count
        OR coalesce(max(log_lines.number), 0) <> runs.line_count OR coalesce(min(log_lines.number), 1) <> 1""",
    "a log that was removed has no line": """
        SELECT runs.id FROM runs JOIN log_lines ON log_lines.run_id = runs.id WHERE runs.log_removed <> 0""",
    "a flow has taken every number that its runs have": """
        SELECT flows.id FROM flows JOIN runs ON runs.flow_id = flows.id
        GROUP BY flows.id, flows.last_number HAVING max(runs.number) > flows.last_number OR min(runs.number) < 1""",
    "a schedule that does not allow overlaps has one run going on at most": f"""
        SELECT schedules.id FROM schedules JOIN runs ON runs.schedule_id = schedules.id
        WHERE schedules.overlap <> 'allow' AND runs.state IN ({_states(ACTIVE)})
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
    "a schedule that is paused is never due": """
        SELECT id FROM schedules WHERE paused_at IS NOT NULL AND next_due IS NOT NULL""",
    "a schedule that was removed is never due": """
        SELECT id FROM schedules WHERE removed_at IS NOT NULL AND next_due IS NOT NULL""",
}


def broken(connection: Connection) -> list[str]:
    """The invariants that do not hold, in words."""
    return [
        words for words, query in INVARIANTS.items() if connection.execute(text(query)).first() is not None
    ]
