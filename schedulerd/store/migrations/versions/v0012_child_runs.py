"""Flows that are called within a run have runs of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.Uuid().with_variant(sa.LargeBinary(16), "sqlite")


def upgrade() -> None:
    """Add a table and columns. No table is written anew: what runs brought so far is all of the runs themselves."""
    op.create_table(
        "child_runs",
        sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("uuid", _ID, nullable=False),
        sa.Column("of_attempt", sa.Integer(), nullable=False),
        sa.Column("task", sa.Integer(), nullable=False),
        sa.Column("child", sa.Integer()),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.Text()),
        sa.Column("tags", sa.Text()),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("failure", sa.Text()),
        sa.Column("result_preview", sa.Text()),
        sa.Column("call", sa.Text()),
        sa.Column("kept", sa.Text()),
        sa.UniqueConstraint("run_id", "of_attempt", "task"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_child_runs_uuid", "child_runs", ["uuid"])
    op.create_index("ix_child_runs_started_at", "child_runs", ["started_at"])
    op.add_column("task_runs", sa.Column("child", sa.Integer()))
    op.add_column("log_lines", sa.Column("child", sa.Integer()))
