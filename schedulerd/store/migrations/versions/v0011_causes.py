"""Schedules that have causes in place of due times."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ENDED = "state IN ('cancelled', 'completed', 'crashed', 'failed', 'timed_out') AND to_follow = 1"


def upgrade() -> None:
    """Add columns, indexes and a table. No table is written anew: runs that are there already have nothing after them."""
    op.add_column("schedules", sa.Column("cause", sa.Text()))
    op.create_index(
        "ix_schedules_cause",
        "schedules",
        ["cause"],
        sqlite_where=sa.text("cause IS NOT NULL"),
        postgresql_where=sa.text("cause IS NOT NULL"),
    )
    op.add_column("runs", sa.Column("to_follow", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index(
        "ix_runs_to_follow",
        "runs",
        ["id"],
        sqlite_where=sa.text(_ENDED),
        postgresql_where=sa.text(_ENDED),
    )
    op.create_table(
        "causes",
        sa.Column("schedule_id", _KEY, sa.ForeignKey("schedules.id"), primary_key=True),
        sa.Column("mark", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
