"""Runs that ended badly are tried again at a time of their own; what runs returned is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_RETRYING = "state IN ('retrying')"


def upgrade() -> None:
    """Add a column, its index, and the table of results. No table is written anew."""
    op.add_column("runs", sa.Column("retry_at", sa.BigInteger()))
    op.create_index(
        "ix_runs_retrying",
        "runs",
        ["retry_at"],
        sqlite_where=sa.text(_RETRYING),
        postgresql_where=sa.text(_RETRYING),
    )
