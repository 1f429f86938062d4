"""The border at which what drivers raise becomes ours."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from schedulerd.errors import Conflict, SchedulerdError, StoreFull, StoreOutdated, StoreUnavailable

UPGRADE: Final = "run `schedulerd db upgrade`"
_NO_TABLE: Final = "no such table"
_UNDEFINED_TABLE: Final = "42P01"
_DISK_FULL: Final = "53100"
_SQLITE_FULL: Final = 13


@contextmanager
def our_errors(where: str, *, mend: Callable[[], str]) -> Iterator[None]:
    """Raise what the driver of the database at `where` raises as one of ours; the rest goes through.

    `mend` is asked what to do when the database does not answer.
    """
    try:
        yield
    except DBAPIError as error:
        ours = _ours(error, where, mend())
        if ours is None:
            raise
        raise ours from error
    except (PoolTimeout, DisconnectionError) as error:
        raise StoreUnavailable(f"the database {where} gave no connection in time") from error


def _ours(error: DBAPIError, where: str, mend: str) -> SchedulerdError | None:
    said = str(error.orig).strip()
    if _NO_TABLE in said or getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
        return StoreOutdated(f"the database {where} has not been set up: {said}", mend=UPGRADE)
    if isinstance(error, IntegrityError):
        return Conflict(f"the database refused it: {said}")
    if isinstance(error, (ProgrammingError, DataError, NotSupportedError)):
        return None  # a fault of ours, which a second try would repeat
    if _is_full(error.orig):
        return StoreFull(
            f"the database {where} has no room: {said}",
            mend="free some space on its file system; until then nothing can be recorded",
        )
    return StoreUnavailable(f"the database {where} does not answer: {said}", mend=mend)


def _is_full(said: BaseException | None) -> bool:
    """Was there no room on the disk? SQLite's extended codes have the plain one in their lowest byte."""
    code = getattr(said, "sqlite_errorcode", None)
    full = isinstance(code, int) and code & 0xFF == _SQLITE_FULL
    return full or getattr(said, "sqlstate", None) == _DISK_FULL
