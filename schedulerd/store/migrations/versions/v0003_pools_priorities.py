"""Runs have a pool and a priority, flows a limit of their own; what a run waits for is found when it is asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNDECIDED = "state IN ('scheduled') AND queued = 0"
_QUEUED = "state IN ('scheduled') AND queued != 0"


def upgrade() -> None:
    """Add the columns, and indexes of the runs that wait, which are few. No table is written anew."""
    op.add_column("flows", sa.Column("pool", sa.Text()))
    op.add_column("flows", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("flows", sa.Column("max_running", sa.Integer()))
    op.add_column("schedules", sa.Column("pool", sa.Text()))
    op.add_column("schedules", sa.Column("priority", sa.Integer()))
    op.add_column("runs", sa.Column("pool", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE runs SET reason = '' WHERE state IN ('scheduled') AND reason <> ''")
    for name in ("ix_runs_due", "ix_runs_undecided", "ix_runs_queued"):
        op.drop_index(name, "runs")
    _index("ix_runs_strand", ["flow_id", "pool", "priority", "due_at", "id"], where=_UNDECIDED)
    _index("ix_runs_undecided", ["schedule_id", "due_at", "id"], where=_UNDECIDED)
    _index("ix_runs_queued", ["schedule_id", "due_at", "id"], where=_QUEUED)


def _index(name: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, "runs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
