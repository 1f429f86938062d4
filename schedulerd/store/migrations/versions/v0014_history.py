"""The history is looked through by state, by flow and state, and by what asked for runs."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NOT_COMPLETED = "state IN ('cancelled', 'crashed', 'failed', 'skipped', 'timed_out')"
_SELDOM = """"trigger" IN ('after', 'file', 'flow', 'manual', 'webhook')"""


def upgrade() -> None:
    """Add indexes. Each has a part of the runs only."""
    _index("ix_runs_not_completed", ["state", "id"], _NOT_COMPLETED)
    _index("ix_runs_flow_not_completed", ["flow_id", "state", "id"], _NOT_COMPLETED)
    _index("ix_runs_trigger", ["trigger", "id"], _SELDOM)


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "runs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
