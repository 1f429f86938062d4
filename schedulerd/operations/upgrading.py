"""Bringing the schema of the database up to date, after a copy of it has been made."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schedulerd.errors import NotFound, StoreUnavailable
from schedulerd.store.database import Database
from schedulerd.store.schema import SchemaStatus

log = logging.getLogger(__name__)

KEPT: Final = 3
"""So many of the newest copies are kept."""

WITHOUT_COPY: Final = "schedulerd db upgrade --no-copy"

_COPY: Final = re.compile(r".*\.before-\d{4}(\.\d+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgraded:
    """What an upgrade did. `was` None: there was nothing to upgrade.

    `copy` is what the database was, and `uncopied` why there is no copy.
    """

    was: str | None = None
    copy: Path | None = None
    uncopied: str = ""


def upgrade(database: Database, *, state_dir: Path, environ: Mapping[str, str]) -> Upgraded:
    """Bring the schema to what this version needs; a database that has an older one is copied first.

    A SQLite file is copied beside itself. Raises `StoreUnavailable`, with nothing changed, when that is not possible.
    PostgreSQL's own program writes its copy to the state directory; where that does not manage, the upgrade goes on
    without: such a database has somebody who looks after its backups.
    """
    before = _older(database)
    done = Upgraded() if before is None else _copied(database, before, state_dir=state_dir, environ=environ)
    database.upgrade()
    return done


def tell(done: Upgraded) -> None:
    """Log what was done, where there was something to do."""
    if done.was is None:
        return
    if done.uncopied:
        log.warning("upgraded_without_copy", extra={"was": done.was, "reason": done.uncopied})
    else:
        log.info("upgraded", extra={"was": done.was, "copy": str(done.copy)})


def _older(database: Database) -> SchemaStatus | None:
    """The status of a database that a migration would change, and that has something to lose."""
    if database.file is not None and not database.file.exists():
        return None
    status = database.status()
    return status if status.revision is not None and status.revision < status.head else None


def _copied(
    database: Database, before: SchemaStatus, *, state_dir: Path, environ: Mapping[str, str]
) -> Upgraded:
    place = database.file or state_dir / "schedulerd.pgdump"
    copy = _free(place.with_name(f"{place.name}.before-{before.head}"))
    try:
        database.back_up(copy, environ)
    except (StoreUnavailable, NotFound) as error:
        if database.file is None:
            return Upgraded(was=before.revision, uncopied=str(error))
        raise StoreUnavailable(
            f"the schema of {database.file} must be upgraded from {before.revision} to {before.head}, and no copy of it "
            f"can be made first: {error}",
            mend=f"make room beside it, or go on without a copy: `{WITHOUT_COPY}`",
        ) from error
    _forget_old(place)
    return Upgraded(was=before.revision, copy=copy)


def _free(path: Path) -> Path:
    """The path, or one with a number where there is a file: an upgrade was begun before, and did not come to its end."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def _forget_old(place: Path) -> None:
    """Remove the oldest copies, so that they do not fill the disk; one that cannot be removed stays."""
    copies = [one for one in place.parent.glob(f"{place.name}.before-*") if _COPY.fullmatch(one.name)]
    for old in sorted(copies, key=lambda one: one.stat().st_mtime_ns)[:-KEPT]:
        try:
            old.unlink()
        except OSError as error:
            log.warning("old_copy_stays", extra={"file": str(old), "reason": str(error)})
