"""A wish may be that a run is killed."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("wishes", sa.Column("kills", sa.Integer(), nullable=False, server_default=sa.text("0")))
