"""Runs with an error say of which kind that is."""

import json
import re
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PAGE = 5_000
_VARYING = re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b|[0-9]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_READ = sa.text(
    "SELECT id, failure FROM runs WHERE failure IS NOT NULL AND id > :after ORDER BY id LIMIT :limit"
)
_WRITE = sa.text("UPDATE runs SET error_id = :kind WHERE id = :id")


def upgrade() -> None:
    """Add the kinds of the errors so far."""
    kinds = op.create_table(
        "error_kinds",
        sa.Column("id", _KEY, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.add_column("runs", sa.Column("error_id", _KEY))
    found = _name_errors(op.get_bind())
    op.bulk_insert(
        kinds, [{"id": key, "text": _UNSTORABLE.sub("\ufffd", text)} for key, text in found.items()]
    )
    has_error = sa.text("error_id IS NOT NULL")
    op.create_index(
        "ix_runs_error", "runs", ["error_id", "id"], sqlite_where=has_error, postgresql_where=has_error
    )


def _name_errors(connection: sa.Connection) -> dict[int, str]:
    found: dict[int, str] = {}
    after = 0
    while rows := connection.execute(_READ, {"after": after, "limit": _PAGE}).all():
        values = []
        for key, failure in rows:
            text = _kind(json.loads(failure))
            kind = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1
            found[kind] = text
            values.append({"id": key, "kind": kind})
        connection.execute(_WRITE, values)
        after = rows[-1][0]
    return found


def _kind(failure: dict[str, str]) -> str:
    line = failure["message"].strip().split("\n", 1)[0]
    return f"{failure['type']}: {_VARYING.sub('#', line)}"[:300]
