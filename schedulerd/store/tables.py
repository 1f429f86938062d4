"""The tables. A change here needs a migration beside it; a test compares the two on both databases."""

from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)

from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import ACTIVE, ENDED, FINAL, LIVE, NOT_COMPLETED, RunState
from schedulerd.store import (
    access_tables,
    asking_tables,
    cause_table,
    columns,
    error_table,
    notice_tables,
    reply_table,
    run_tables,
    tally_table,
)
from schedulerd.store.columns import (
    KEY,
    KEY_IS_ROW,
    Document,
    Id,
    Moment,
    Value,
    Words,
    of_run,
    partial_index,
)
from schedulerd.store.documents import flow_json, read_flow, read_schedule, schedule_json

# What a query gives, where its columns are told by name and not by type.
AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

metadata: Final = columns.metadata
_OTHERS: Final = (
    access_tables,
    asking_tables,
    cause_table,
    error_table,
    notice_tables,
    reply_table,
    run_tables,
    tally_table,
)  # so that they are in it


def _in_states(column: ColumnElement[str], states: frozenset[RunState]) -> ColumnElement[bool]:
    # Constants, not parameters: SQLite uses a partial index only when its condition stands in the query.
    return column.in_([literal_column(f"'{state}'") for state in sorted(states)])


versions: Final = Table(
    "versions",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("source", Words, nullable=False),
    Column("first_seen", Moment, nullable=False),
)

flow_files: Final = Table(
    "flow_files",
    metadata,
    Column("file", Text, primary_key=True),
    Column("version_id", KEY, ForeignKey("versions.id")),
    Column("error", Document),
    Column("seen_at", Moment, nullable=False),
)

flows: Final = Table(
    "flows",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("definition", Value(flow_json, read_flow), nullable=False),
    Column("version_id", KEY, ForeignKey("versions.id")),
    Column("first_seen", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("removed_at", Moment),
    Column("last_number", Integer, nullable=False, server_default="0"),
    Column("pool", Text),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("max_running", Integer),
    # The final states for which it has hooks.
    Column("hooks", Text),
    Index("ix_flows_file", "file"),
)

schedules: Final = Table(
    "schedules",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("flow_id", KEY, ForeignKey("flows.id"), nullable=False),
    Column("definition", Value(schedule_json, read_schedule), nullable=False),
    Column("overlap", Text, nullable=False),
    Column("queue_limit", Integer, nullable=False, server_default="1"),
    Column("first_seen", Moment, nullable=False),
    Column("watermark", Moment, nullable=False),
    Column("next_due", Moment),
    Column("last_due", Moment),
    Column("removed_at", Moment),
    Column("paused_at", Moment),
    Column("paused_by", Words),
    Column("paused_reason", Words),
    Column("boot_id", Text),
    Column("pool", Text),
    Column("priority", Integer),
    # Of one that has causes in place of due times: of which kind.
    Column("cause", Text),
    # The URLs that its runs call, where it has some.
    Column("heartbeat", Document),
    Index("ix_schedules_next_due", "next_due"),
)
partial_index(
    "ix_schedules_cause",
    schedules.c.cause,
    where=schedules.c.cause.is_not(None),
)
# Those of them that the start of the machine makes due: few, and looked at in each tick.
partial_index(
    "ix_schedules_boot",
    schedules.c.boot_id,
    where=schedules.c.boot_id.is_not(None),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("uuid", Id, nullable=False, unique=True),
    Column("flow_id", KEY, ForeignKey("flows.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("schedule_id", KEY, ForeignKey("schedules.id")),
    Column("slot", Text),
    Column("due_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("pending_at", Moment),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("attempt", Integer, nullable=False),
    Column("parameters", Document, nullable=False),
    Column("idempotency_key", Words),
    Column("version_id", KEY, ForeignKey("versions.id")),
    Column("agent", Text),
    Column("boot_id", Text),
    Column("pid", Integer),
    Column("failure", Document),
    Column("cpu_ms", KEY),
    Column("max_rss_bytes", KEY),
    Column("result_preview", Words),
    Column("journal_bytes", KEY, nullable=False, server_default="0"),
    Column("stdout_bytes", KEY, nullable=False, server_default="0"),
    Column("stderr_bytes", KEY, nullable=False, server_default="0"),
    Column("move_count", Integer, nullable=False, server_default="0"),
    Column("line_count", KEY, nullable=False, server_default="0"),
    Column("caught_up", Integer, nullable=False, server_default="0"),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("log_removed", Integer, nullable=False, server_default="0"),
    # Of a live run, the pool that it was claimed for; no pool is the empty name, which an index compares like any other.
    Column("pool", Text, nullable=False, server_default=text("''")),
    Column("priority", Integer, nullable=False, server_default="0"),
    # Of a run that waits for its retry, when that is.
    Column("retry_at", Moment),
    # How what the flow returned is kept; where that is `preview`, nothing else is.
    Column("result_kept", Text),
    # The run whose code asked for it. No foreign key: it may be removed before.
    Column("parent_id", KEY),
    # The final states for which the version that was claimed has hooks.
    Column("hooks", Text),
    # Set until it was looked at, once it has ended, which schedules come after it.
    Column("to_follow", Integer, nullable=False, server_default=text("0")),
    # Of which kind the failure is, where there is one. No foreign key: it is made of the failure alone.
    Column("error_id", KEY),
    UniqueConstraint("flow_id", "number"),
)


def _is_scheduled(of: FromClause) -> ColumnElement[bool]:
    return _in_states(of.c.state, frozenset({RunState.SCHEDULED}))


def is_undecided(of: FromClause) -> ColumnElement[bool]:
    """Of `runs` or an alias of it: is it due, or to be, and not in line behind another?"""
    return and_(_is_scheduled(of), of.c.queued == literal_column("0"))


def is_queued(of: FromClause) -> ColumnElement[bool]:
    """Of `runs` or an alias of it: is it in line behind another of its schedule? That is not decided again."""
    return and_(_is_scheduled(of), of.c.queued != literal_column("0"))


def has_ended(of: FromClause) -> ColumnElement[bool]:
    """Of `runs` or an alias of it: is it in one of the final states?"""
    return _in_states(of.c.state, FINAL)


IS_SCHEDULED: Final = _is_scheduled(runs)
IS_UNDECIDED: Final = is_undecided(runs)
IS_QUEUED: Final = is_queued(runs)
QUEUED: Final = 1
# Queued too: it makes up for a missed time, and one that came later has started before it, which happens once.
PASSED_OVER: Final = 2
IS_RETRYING: Final = _in_states(runs.c.state, frozenset({RunState.RETRYING}))
IS_TO_FOLLOW: Final = and_(_in_states(runs.c.state, ENDED), runs.c.to_follow == literal_column("1"))
# A run that waits for its retry holds no place, but for overlap it is still going on.
IS_ACTIVE: Final = _in_states(runs.c.state, ACTIVE)
# Both conditions, because SQLite does not see that the one holds wherever the other does, and would read all runs.
IS_LIVE: Final = and_(IS_ACTIVE, _in_states(runs.c.state, LIVE))


IS_NOT_COMPLETED: Final = _in_states(runs.c.state, NOT_COMPLETED)
# What asks for most runs of most histories needs no index: such a run is found at once.
SELDOM: Final = frozenset(Trigger) - {Trigger.SCHEDULE, Trigger.CRONTAB}
IS_SELDOM: Final = runs.c.trigger.in_([literal_column(f"'{trigger}'") for trigger in sorted(SELDOM)])


Index("ix_runs_flow", runs.c.flow_id, runs.c.id)
# The undecided by strand, those of a schedule, and those in line: a claim seeks in these, and reads none of them whole.
partial_index(
    "ix_runs_strand",
    *(runs.c.flow_id, runs.c.pool, runs.c.priority, runs.c.due_at, runs.c.id),
    where=IS_UNDECIDED,
)
partial_index("ix_runs_undecided", runs.c.schedule_id, runs.c.due_at, runs.c.id, where=IS_UNDECIDED)
partial_index("ix_runs_queued", runs.c.schedule_id, runs.c.due_at, runs.c.id, where=IS_QUEUED)
partial_index("ix_runs_retrying", runs.c.retry_at, where=IS_RETRYING)
partial_index("ix_runs_to_follow", runs.c.id, where=IS_TO_FOLLOW)
partial_index("ix_runs_parent", runs.c.parent_id, where=runs.c.parent_id.is_not(None))
partial_index("ix_runs_active", runs.c.schedule_id, where=IS_ACTIVE)
# The history is looked through by these, newest first: see history.py.
partial_index("ix_runs_not_completed", runs.c.state, runs.c.id, where=IS_NOT_COMPLETED)
partial_index("ix_runs_flow_not_completed", runs.c.flow_id, runs.c.state, runs.c.id, where=IS_NOT_COMPLETED)
partial_index("ix_runs_trigger", runs.c.trigger, runs.c.id, where=IS_SELDOM)
partial_index("ix_runs_error", runs.c.error_id, runs.c.id, where=runs.c.error_id.is_not(None))
partial_index("ux_runs_slot", runs.c.schedule_id, runs.c.slot, where=runs.c.slot.is_not(None), unique=True)
partial_index("ux_runs_key", runs.c.idempotency_key, where=runs.c.idempotency_key.is_not(None), unique=True)

# What belongs to a run lies together by run: one seek, and no second copy of the key on SQLite.
moves: Final = Table(
    "moves",
    metadata,
    of_run(),
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("was", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("actor", Words, nullable=False),
    Column("message", Words, nullable=False),
    info=KEY_IS_ROW,
)

wishes: Final = Table(
    "wishes",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("actor", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("kills", Integer, nullable=False, server_default=text("0")),
)

# That hooks are to be called, for the move of this number: made in the transaction of that move, and gone once it is
# known what became of them.
hooks_due: Final = Table(
    "hooks_due",
    metadata,
    of_run(),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("version_id", KEY, ForeignKey("versions.id")),
    Column("agent", Text),
    Column("boot_id", Text),
    info=KEY_IS_ROW,
)

agents: Final = Table(
    "agents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),
    Column("status", Document, nullable=False),
    Column("drained_at", Moment),
    Column("drained_by", Words),
    Column("drained_reason", Words),
)

# What was true when the database was written last, and may have changed under it: the version of the zones, say.
facts: Final = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Words, nullable=False),
)
