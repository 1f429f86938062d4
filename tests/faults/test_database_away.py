"""A database that is locked, taken away, restarted or cut off: noticed, nothing lost, nothing done twice, and back soon."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import pytest

from schedulerd.clock import SystemClock
from tests.conftest import POSTGRES_KINDS, installed
from tests.faults.accounts import Accounts
from tests.postgres import PostgresServer
from tests.postgres_line import PostgresLine
from tests.service import Service
from tests.waiting import SLOWER, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

NOTICED_SECONDS = 5.0  # as of all deadlines of tests, a busy machine is given more
BACK_SECONDS = 5.0
_CLOCK = SystemClock()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def _is_away(service: Service) -> bool:
    """Does the daemon say that its database is away, and does `status` end accordingly?"""
    done = service.command("status", "-o", "json")
    return done.returncode == 6 and '"kind": "database"' in done.stdout


def _hold(seconds: float) -> None:
    Event().wait(seconds)


def _account_for(service: Service, accounts: Accounts) -> None:
    accounts.wait_for(_CLOCK.now(), within=60)
    runs = accounts.close()
    assert len(runs) > 5
    assert service.process is not None
    assert service.process.poll() is None


def test_a_database_that_is_locked_for_a_while_loses_nothing(service: Service) -> None:
    service.start()
    accounts = Accounts(service)
    accounts.open()
    path = service.url.removeprefix("sqlite:///")

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = service.command("run", "account")
        eventually(lambda: _is_away(service), within=NOTICED_SECONDS)
        shown = service.command("status").stdout
        _hold(5)
        other.execute("ROLLBACK")

    eventually(lambda: service.command("status").returncode == 0, within=BACK_SECONDS)
    assert asked.returncode == 6
    assert "locked" in asked.stderr
    assert f"schedulerd runs (process {service.pid})" in shown
    assert "locked" in shown
    _account_for(service, accounts)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_database_file_that_is_swapped_is_noticed_and_put_back_all_goes_on(
    service: Service, how: str
) -> None:
    service.start()
    accounts = Accounts(service)
    accounts.open()
    path = Path(service.url.removeprefix("sqlite:///"))
    aside = path.with_name("aside.db")
    if how == "replaced":
        _copy(path, path.with_name("other.db"))

    os.rename(path, aside)
    if how == "replaced":
        os.rename(path.with_name("other.db"), path)
    eventually(lambda: f"was {how}" in service.command("status").stdout, within=NOTICED_SECONDS)
    _hold(2)
    os.rename(aside, path)

    eventually(lambda: service.command("status").returncode == 0, within=BACK_SECONDS)
    _account_for(service, accounts)


def _copy(database: Path, to: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    shutil.copymode(database, to)


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=POSTGRES_KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server of its own, that keeps what it has acknowledged when it is ended at once."""
    with PostgresServer(installed(request.param), synchronous_commit="on") as server:
        yield server


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("restarts", "pause"),
    [(3, 2.0), pytest.param(14, 20.0, marks=[pytest.mark.nemesis, pytest.mark.timeout(600)])],
    ids=["a few", "for five minutes"],
)
def test_a_server_that_is_ended_at_once_and_started_again_loses_nothing(
    server: PostgresServer, tmp_path: Path, restarts: int, pause: float
) -> None:
    with ExitStack() as ends:
        service = Service(tmp_path, url=server.url(server.create()))
        ends.callback(service.close)
        service.start()
        accounts = Accounts(service)
        accounts.open()

        back = []
        for number in range(restarts):
            server.restart()
            began, before = time.monotonic(), _CLOCK.now()
            accounts.wait_for(before)
            back.append(time.monotonic() - began)
            _hold(pause * (1 + number % 3) / 2)

        print("back after", " ".join(f"{seconds:.1f}" for seconds in back), "s")
        assert max(back) < BACK_SECONDS * SLOWER
        _account_for(service, accounts)


@pytest.mark.postgres
@pytest.mark.parametrize("server", POSTGRES_KINDS[:1], indirect=True)
@pytest.mark.parametrize(
    "seconds",
    [6.0, pytest.param(30.0, marks=[pytest.mark.nemesis, pytest.mark.timeout(600)])],
    ids=["for a moment", "for 30 s"],
)
@pytest.mark.parametrize("silence", ["cut", "hold_replies"])
def test_a_server_that_cannot_be_reached_is_noticed_and_nothing_is_lost_or_doubled(
    server: PostgresServer, tmp_path: Path, silence: str, seconds: float
) -> None:
    with ExitStack() as ends:
        line = ends.enter_context(PostgresLine(server.folder))
        service = Service(tmp_path, url=line.url(server.create()))
        ends.callback(service.close)
        service.start()
        accounts = Accounts(service)
        accounts.open()

        getattr(line, silence)()
        began = time.monotonic()
        eventually(lambda: _says_trouble(service), within=NOTICED_SECONDS)
        noticed = time.monotonic() - began
        shown = service.command("status")
        _hold(seconds)
        line.restore()
        began = time.monotonic()
        eventually(lambda: service.command("status").returncode == 0, within=40)
        back = time.monotonic() - began

        print(f"noticed after {noticed:.1f} s, back after {back:.1f} s")
        assert shown.returncode == 6
        assert "does not answer" in shown.stdout
        _account_for(service, accounts)


def _says_trouble(service: Service) -> bool:
    """By its log: to ask on the command line takes some seconds itself while nothing answers."""
    return service.said("trouble with=database") > 0 or "trouble" in service.log.read_text()
