"""Limits with a name, and the slots of them that runs hold; what people decided of runs; runs that others asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HAS_PARENT = "parent_id IS NOT NULL"


def _run_id() -> "sa.Column[int]":
    return sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Add three tables, and a column with an index. No table is written anew."""
    op.create_table(
        "named_limits",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("per_second", sa.Double()),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("level_at", sa.BigInteger()),
    )
    op.create_table(
        "slots",
        _run_id(),
        sa.Column("attempt", sa.Integer(), primary_key=True),
        sa.Column("asked", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("occupy", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approvals",
        _run_id(),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.add_column("runs", sa.Column("parent_id", _KEY))
    op.create_index(
        "ix_runs_parent",
        "runs",
        ["parent_id"],
        sqlite_where=sa.text(_HAS_PARENT),
        postgresql_where=sa.text(_HAS_PARENT),
    )
