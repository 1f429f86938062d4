"""The kinds of errors that there are: written beside the runs that have them, and looked through where an error is looked for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.sql.dml import Insert

from schedulerd.domain.error_kinds import ErrorKey, ErrorKind, error_kind, kind_search
from schedulerd.domain.failures import Failure
from schedulerd.store.containing import contains
from schedulerd.store.error_table import error_kinds
from schedulerd.store.spelling import Inserting, Spelled
from schedulerd.store.tables import runs

_MOST: Final = 500
_LEAST: Final = -1  # keys are not below 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinds:
    """The kinds that errors with all of some texts are of. Of the texts in `loose` it has to be looked whether an error of
    these kinds has them."""

    keys: frozenset[ErrorKey]
    loose: tuple[str, ...]


def key_of(failure: Failure | None) -> ErrorKey | None:
    """The key of the failure's kind; None without a failure."""
    return None if failure is None else error_kind(failure).key


def put_kinds(connection: Connection, kinds: Iterable[ErrorKind]) -> None:
    """Have them there."""
    rows: Mapping[ErrorKey, ErrorKind] = {kind.key: kind for kind in kinds}
    if rows:
        values = [{"id": key, "text": kind.text} for key, kind in sorted(rows.items())]
        connection.execute(_PUT.on(connection), values)


def forget_kinds(connection: Connection, after: ErrorKey | None, *, limit: int) -> ErrorKey | None:
    """Of the next `limit` kinds after that one, or the first, forget those that no run has any more.

    Returns the kind to go on after; None when it was the last. Nobody gives a run one of them meanwhile: there is one writer
    at a time, who writes a kind together with the run that has it.
    """
    least = _LEAST if after is None else after
    ids = error_kinds.c.id
    keys = list(connection.scalars(select(ids).where(ids > least).order_by(ids).limit(limit)))
    if keys:
        is_had = select(runs.c.id).where(runs.c.error_id == ids).exists()
        connection.execute(delete(error_kinds).where(ids > least, ids <= keys[-1], ~is_had))
    return ErrorKey(keys[-1]) if len(keys) == limit else None


def find_kinds(connection: Connection, texts: Collection[str]) -> Kinds | None:
    """The kinds with all of these texts; None where it may be any, or too many to be looked through one by one."""
    searches = [(text, kind_search(text)) for text in texts]
    parts = [part for _, search in searches for part in search.parts]
    if not parts:
        return None
    query = select(error_kinds.c.id).where(*(contains(error_kinds.c.text, part) for part in parts))
    keys = list(connection.scalars(query.limit(_MOST + 1)))
    if len(keys) > _MOST:
        return None
    loose = tuple(text for text, search in searches if not search.is_exact)
    return Kinds(keys=frozenset(map(ErrorKey, keys)), loose=loose)


def _putting(insert: Inserting) -> Insert:
    put: Insert = insert(error_kinds).on_conflict_do_nothing()
    return put


_PUT: Final = Spelled(_putting)
