"""SQL that is compiled once in a process of tests, as it is once in a daemon, and not again with each test's own engine."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

_MOST: Final = 2_000
_CACHES: Final[dict[tuple[object, ...], "_Compiled"]] = {}


class _Compiled(dict[Any, Any]):
    """What was compiled for one kind of database: SQLAlchemy's own keys begin with the engine's dialect, which is left out.

    It has an end: properties make statements that nobody will ask for again.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= _MOST:
            self.clear()
        super().__setitem__(key[1:], value)


def share_what_is_compiled() -> None:
    """From now on all engines of this process do."""
    event.listen(Engine, "engine_connect", _share)


def _share(connection: Connection) -> None:
    dialect = connection.dialect
    kind = dialect.name, dialect.driver, dialect.server_version_info
    connection.execution_options(compiled_cache=_CACHES.setdefault(kind, _Compiled()))
