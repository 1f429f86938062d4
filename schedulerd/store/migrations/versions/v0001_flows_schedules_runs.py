"""The first tables: flows and their versions, schedules, runs with what belongs to them, wishes, agents."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As they were on this day; the kinds of columns in the code may grow apart from these.
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()
DOCUMENT = sa.Text()
ID = sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    make_flows()
    make_schedules()
    make_runs()
    make_parts_of_runs()
    make_agents()


def where(condition: str) -> dict[str, Any]:
    """That an index is a partial one."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def make_flows() -> None:
    op.create_table(
        "versions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.UniqueConstraint("hash", name="uq_versions_hash"),
    )
    op.create_table(
        "flow_files",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("version_id", KEY),
        sa.Column("error", DOCUMENT),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_flow_files_version_id"),
        sa.PrimaryKeyConstraint("file", name="pk_flow_files"),
    )
    op.create_table(
        "flows",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("definition", DOCUMENT, nullable=False),
        sa.Column("version_id", KEY),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT),
        sa.Column("last_number", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_flows_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_flows"),
        sa.UniqueConstraint("name", name="uq_flows_name"),
    )
    op.create_index("ix_flows_file", "flows", ["file"])


def make_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("flow_id", KEY, nullable=False),
        sa.Column("definition", DOCUMENT, nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("watermark", MOMENT, nullable=False),
        sa.Column("next_due", MOMENT),
        sa.Column("last_due", MOMENT),
        sa.Column("removed_at", MOMENT),
        sa.ForeignKeyConstraint(["flow_id"], ["flows.id"], name="fk_schedules_flow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint("name", name="uq_schedules_name"),
    )
    op.create_index("ix_schedules_next_due", "schedules", ["next_due"])


def make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("uuid", ID, nullable=False),
        sa.Column("flow_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("schedule_id", KEY),
        sa.Column("slot", sa.Text()),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("pending_at", MOMENT),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("parameters", DOCUMENT, nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("version_id", KEY),
        sa.Column("agent", sa.Text()),
        sa.Column("boot_id", sa.Text()),
        sa.Column("pid", sa.Integer()),
        sa.Column("failure", DOCUMENT),
        sa.Column("cpu_ms", KEY),
        sa.Column("max_rss_bytes", KEY),
        sa.Column("result_preview", sa.Text()),
        sa.Column("journal_bytes", KEY, server_default="0", nullable=False),
        sa.Column("stdout_bytes", KEY, server_default="0", nullable=False),
        sa.Column("stderr_bytes", KEY, server_default="0", nullable=False),
        sa.Column("move_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("line_count", KEY, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flows.id"], name="fk_runs_flow_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name="fk_runs_schedule_id"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_runs_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("flow_id", "number", name="uq_runs_flow_id_number"),
        sa.UniqueConstraint("uuid", name="uq_runs_uuid"),
    )
    op.create_index(
        "ix_runs_active",
        "runs",
        ["schedule_id"],
        **where("state IN ('cancelling', 'paused', 'pending', 'retrying', 'running')"),
    )
    op.create_index("ix_runs_due", "runs", ["due_at", "id"], **where("state IN ('scheduled')"))
    op.create_index("ix_runs_flow", "runs", ["flow_id", "id"])
    op.create_index("ix_runs_waiting", "runs", ["schedule_id", "due_at"], **where("state IN ('scheduled')"))
    op.create_index(
        "ux_runs_key", "runs", ["idempotency_key"], unique=True, **where("idempotency_key IS NOT NULL")
    )
    op.create_index("ux_runs_slot", "runs", ["schedule_id", "slot"], unique=True, **where("slot IS NOT NULL"))


def make_parts_of_runs() -> None:
    op.create_table(
        "moves",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_moves_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_moves"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "task_runs",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("map_index", sa.Integer()),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("upstream", DOCUMENT),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("failure", DOCUMENT),
        sa.Column("result_preview", sa.Text()),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_task_runs_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_task_runs"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_lines",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("number", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("logger", sa.Text(), nullable=False),
        sa.Column("task", sa.Integer()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_log_lines_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_log_lines"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "wishes",
        sa.Column("id", KEY, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_wishes_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_wishes"),
        sa.UniqueConstraint("run_id", name="uq_wishes_run_id"),
    )


def make_agents() -> None:
    op.create_table(
        "agents",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("beat_at", MOMENT, nullable=False),
        sa.Column("status", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_agents"),
    )
