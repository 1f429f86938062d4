"""The web application in a process of its own, over a history that was seeded: `python -m benchmarks.site`."""

import argparse
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, Self

import uvicorn

from benchmarks.seed import END, RUNS
from schedulerd.clock import SystemClock
from schedulerd.domain.access import Role
from schedulerd.domain.ids import RunKey
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from schedulerd.web.warming import settle
from tests.waiting import eventually
from tests.web.entering import cookie_for


class SeededClock(SystemClock):
    """The machine's clock, put to where the seeded history ends."""

    def __init__(self) -> None:
        self._ahead: Final[timedelta] = super().now() - END

    def now(self) -> datetime:
        """The present moment, as the history has it."""
        return super().now() - self._ahead


class Site:
    """Serves the database until the end of the `with`, to somebody who has signed in.

    `names` are the ids of the run with many tasks, and of the one with a long log.
    """

    def __init__(self, database: Path, state_dir: Path) -> None:
        self._listener: Final = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listener.getsockname()[1]
        opened = Database(f"sqlite:///{database}")
        opened.upgrade()
        cookie = cookie_for(Operations(opened, state_dir=state_dir, clock=SeededClock()), Role.OPERATOR)
        with opened.read() as tx:
            tasks, log = (tx.runs.by_key(RunKey(RUNS - 100 + one)).id for one in (1, 2))
        opened.close()
        self.names: Final = {"tasks": str(tasks), "log": str(log)}
        self.headers: Final = {"Cookie": f"schedulerd-{self.port}={cookie}", "Accept-Encoding": "gzip"}
        self._words: Final = [
            *(
                "--socket",
                str(self._listener.fileno()),
                "--database",
                str(database),
                "--state",
                str(state_dir),
            )
        ]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.site", *self._words]
        self._process = subprocess.Popen(command, pass_fds=[self._listener.fileno()])
        eventually(self._answers, within=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._listener.close()

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    def connect(self) -> HTTPConnection:
        """A connection that is kept."""
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def _answers(self) -> bool:
        connection = self.connect()
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 503)


def main() -> None:
    """Serve on the inherited socket until terminated."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--socket", type=int, required=True)
    arguments.add_argument("--database", type=Path, required=True)
    arguments.add_argument("--state", type=Path, required=True)
    options = arguments.parse_args()
    clock, database = SeededClock(), Database(f"sqlite:///{options.database}")
    operations = Operations(database, state_dir=options.state, clock=clock)
    app = make_app(hosts={"127.0.0.1"}, clock=clock, operations=operations, webhooks=operations.webhooks)
    config = uvicorn.Config(app, log_level="warning", server_header=False, access_log=False, lifespan="off")
    threading.Thread(target=settle, args=(operations, clock), name="settling", daemon=True).start()
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.socket)])


if __name__ == "__main__":
    main()
