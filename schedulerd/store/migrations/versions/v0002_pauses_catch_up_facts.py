"""Schedules can be paused, have queues, and know the boot that they were decided for; runs that catch up; facts."""

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
    op.add_column("runs", sa.Column("queued", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("schedules", sa.Column("queue_limit", sa.Integer(), nullable=False, server_default="1"))
    op.drop_index("ix_runs_waiting", "runs")
    _index(
        "ix_runs_undecided", "runs", ["schedule_id", "due_at"], where="state IN ('scheduled') AND queued = 0"
    )
    _index("ix_runs_queued", "runs", ["schedule_id", "id"], where="state IN ('scheduled') AND queued = 1")
    _index("ix_schedules_boot", "schedules", ["boot_id"], where="boot_id IS NOT NULL")
    op.add_column("runs", sa.Column("log_removed", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )


def _index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
