"""Which schema a database has, which one this version needs, and the way from one to the other."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, text

from schedulerd.errors import StoreOutdated
from schedulerd.store.driver_errors import UPGRADE

if TYPE_CHECKING:
    from alembic.config import Config

# Written here too, so that each start of the program is spared the import of Alembic; a test compares.
HEAD: Final = "0020"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_UPGRADE_LOCK: Final = 0x736368656475
# Each command asks for it: SQLAlchemy's inspection makes a statement of two tables for that, anew in each process.
_TABLE: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'",
    "postgresql": "SELECT to_regclass('alembic_version')",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaStatus:
    """What a database is. `revision` is None before the first upgrade; `url` has no password in it."""

    url: str
    dialect: str
    server_version: str
    revision: str | None
    head: str

    @property
    def is_current(self) -> bool:
        """Is the schema the one that this version needs?"""
        return self.revision == self.head


def status(connection: Connection, *, url: str) -> SchemaStatus:
    """What is at the other end of the connection."""
    numbers = connection.dialect.server_version_info or ()
    return SchemaStatus(
        url=url,
        dialect=connection.dialect.name,
        server_version=".".join(map(str, numbers)),
        revision=_revision(connection),
        head=HEAD,
    )


def require_current(connection: Connection, *, url: str) -> None:
    """Raise `StoreOutdated` unless the schema is the one that this version needs."""
    revision = _revision(connection)
    if revision == HEAD:
        return
    if revision is None or revision < HEAD:
        raise StoreOutdated(
            f"the database {url} has schema {revision or 'none'}; this version of schedulerd needs {HEAD}",
            mend=UPGRADE,
        )
    raise StoreOutdated(
        f"the database {url} has schema {revision}, which is newer than this version of schedulerd knows ({HEAD})",
        mend="upgrade the program: it is older than the database",
    )


def upgrade(engine: Engine) -> None:
    """Run the missing migrations in one transaction: all of them, or none."""
    with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        require_known(connection)
        if _revision(connection) != HEAD:
            from alembic import command  # not at the top: it costs a start a fifth of its time

            command.upgrade(migrations(connection), "head")


def migrations(connection: Connection | None = None) -> "Config":
    """Alembic's view of our migrations; there is no alembic.ini, so that an installed package needs none."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def require_known(connection: Connection) -> None:
    """Raise `StoreOutdated` when the schema is newer than this version knows."""
    revision = _revision(connection)
    if revision is not None and revision > HEAD:
        require_current(connection, url=connection.engine.url.render_as_string(hide_password=True))


def _revision(connection: Connection) -> str | None:
    if connection.exec_driver_sql(_TABLE[connection.dialect.name]).scalar() is None:
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision
