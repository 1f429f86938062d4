"""Runs that ended badly are tried again at a time of their own; what runs returned is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_RETRYING = "state IN ('retrying')"


def upgrade() -> None:
    """Add columns, an index, and the table of results. No table is written anew."""
    op.add_column("runs", sa.Column("retry_at", sa.BigInteger()))
    op.create_index(
        "ix_runs_retrying",
        "runs",
        ["retry_at"],
        sqlite_where=sa.text(_RETRYING),
        postgresql_where=sa.text(_RETRYING),
    )
    op.add_column("runs", sa.Column("result_kept", sa.Text()))
    op.add_column("task_runs", sa.Column("call", sa.Text()))
    op.add_column("task_runs", sa.Column("kept", sa.Text()))
    op.create_table(
        "results",
        sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
