"""What is to be told, by whom it was told, and the monitors that schedules call."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column and three tables. No table is written anew."""
    op.add_column("schedules", sa.Column("heartbeat", sa.Text()))
    op.create_table(
        "notices",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE")),
        sa.Column("mark", sa.Text()),
        sa.Column("told_at", sa.BigInteger()),
    )
    _partial("ix_notices_untold", "notices", ["rule", "id"], "told_at IS NULL")
    op.create_index("ix_notices_run_id", "notices", ["run_id"])
    _partial("ux_notices_mark", "notices", ["rule", "mark"], "mark IS NOT NULL", unique=True)
    op.create_table(
        "messages",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("answer", sa.Text(), nullable=False),
    )
    op.create_index("ix_messages_rule", "messages", ["rule", "made_at"])
    _partial("ix_messages_next_at", "messages", ["next_at"], "next_at IS NOT NULL")
    op.create_table(
        "pings",
        sa.Column("id", _KEY, primary_key=True),
        sa.Column("schedule_id", _KEY, sa.ForeignKey("schedules.id"), nullable=False),
        sa.Column("run_id", _KEY, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("beat", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
    )
    op.create_index("ix_pings_run_id", "pings", ["run_id"])


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
