"""Hooks for the end of a run are called after it, and it is remembered that they are to be."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add two columns and a table. No table is written anew."""
    op.add_column("flows", sa.Column("hooks", sa.Text()))
    op.add_column("runs", sa.Column("hooks", sa.Text()))
    op.create_table(
        "hooks_due",
        sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("version_id", _KEY, sa.ForeignKey("versions.id")),
        sa.Column("agent", sa.Text()),
        sa.Column("boot_id", sa.Text()),
        sqlite_with_rowid=False,
    )
