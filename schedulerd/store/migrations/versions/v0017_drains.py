"""Agents can be drained."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Each is added by itself: the table is not written anew."""
    op.add_column("agents", sa.Column("drained_at", sa.BigInteger()))
    op.add_column("agents", sa.Column("drained_by", sa.Text()))
    op.add_column("agents", sa.Column("drained_reason", sa.Text()))
