"""Schedules can be paused, and know the boot that they were decided for; runs know that they catch up; facts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table. Each column is added by itself: no table is written anew."""
    op.add_column("schedules", sa.Column("paused_at", sa.BigInteger()))
    op.add_column("schedules", sa.Column("paused_by", sa.Text()))
    op.add_column("schedules", sa.Column("paused_reason", sa.Text()))
    op.add_column("schedules", sa.Column("boot_id", sa.Text()))
    op.add_column("runs", sa.Column("caught_up", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("log_removed", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
