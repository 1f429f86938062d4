"""Runs that end are counted by the hour."""

import math
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_HOUR = 3_600_000_000
_PAGE = 10_000


def upgrade() -> None:
    """Add a table, and count what has ended so far."""
    tallies = op.create_table(
        "tallies",
        sa.Column("flow_id", _KEY, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.Integer(), primary_key=True),
        sa.Column("state", sa.Text(), primary_key=True),
        sa.Column("length", sa.Integer(), primary_key=True),
        sa.Column("count", _KEY, nullable=False),
        sa.Column("total_ms", _KEY, nullable=False),
        sqlite_with_rowid=False,
    )
    names = ("flow_id", "hour", "state", "length", "count", "total_ms")
    rows = [dict(zip(names, (*key, *both), strict=True)) for key, both in _counted().items()]
    for start in range(0, len(rows), _PAGE):
        op.bulk_insert(tallies, rows[start : start + _PAGE])


def _counted() -> dict[tuple[int, int, str, int], tuple[int, int]]:
    found: dict[tuple[int, int, str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    query = sa.text("SELECT flow_id, state, started_at, ended_at FROM runs WHERE ended_at IS NOT NULL")
    for flow, state, started, ended in op.get_bind().execute(query):
        length = 0 if started is None else max(0, (ended - started) // 1_000)
        kind = -1 if started is None else 0 if length == 0 else 1 + math.floor(2 * math.log2(length))
        for one in (flow, 0):
            count, total = found[one, ended // _HOUR, state, kind]
            found[one, ended // _HOUR, state, kind] = (count + 1, total + length)
    return found
