"""What the web process does: serves on an inherited socket until its lifeline is cut. `daemon/web_program.py` begins it."""

import argparse
import json
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn

from schedulerd.clock import Clock, SystemClock
from schedulerd.operations.daemon import guard
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from schedulerd.web.rest import Rest
from schedulerd.web.warming import settle

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SETTLE_SECONDS = 1.5


def serve(places_of: Callable[[Mapping[str, Any]], Places], loaded: threading.Event) -> None:
    """Run as a program: started by the daemon with three inherited descriptors.

    `places_of` what the daemon tells is where definitions are written. From when it is `loaded` on it looks itself whether the
    daemon is there.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C on a terminal is for the daemon, which then lets go of us
    arguments = argparse.ArgumentParser(prog="schedulerd-web")
    arguments.add_argument("--socket", type=int, required=True)
    arguments.add_argument("--lifeline", type=int, required=True)
    arguments.add_argument("--told", type=int, required=True)
    options = arguments.parse_args()
    with os.fdopen(options.told, "rb") as file:
        told = json.load(file)
    listener = socket.socket(fileno=options.socket)
    host = listener.getsockname()[0]
    clock = SystemClock()
    hosts = {*_LOOPBACK, f"[{host}]" if ":" in host else host, *told["hosts"]}
    operations = _operations(told, clock, places_of(told))
    app = make_app(
        hosts=hosts,
        clock=clock,
        operations=operations,
        webhooks=operations.webhooks,
        zone=ZoneInfo(told["timezone"]),
        is_stopping=lambda: server.should_exit,
        is_apart=bool(told.get("apart")),
    )
    config = uvicorn.Config(
        app,
        log_config=None,  # it says what it has to say in the log of this process
        log_level="warning",
        server_header=False,
        proxy_headers=bool(told["proxies"]),  # else any program of this machine could say that it is another
        forwarded_allow_ips=told["proxies"],
        access_log=False,
        timeout_graceful_shutdown=2,
        lifespan="off",
    )
    server = uvicorn.Server(config)

    rest_after = told["rest_after"]
    rest = Rest(server, after=rest_after, monotonic=clock.monotonic) if rest_after else None

    def wait_for_the_end() -> None:
        every = None if rest is None else rest.every
        while not select.select([options.lifeline], [], [], every)[0]:
            if rest is not None:
                rest.look()
        server.should_exit = True  # the daemon has gone, whatever became of it

    threading.Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()
    loaded.set()

    # Who came while this process was being started is answered first.
    settling = threading.Timer(_SETTLE_SECONDS, settle, args=(operations, clock))
    settling.daemon = True
    settling.start()
    server.run(sockets=[listener])


def _operations(told: Mapping[str, Any], clock: Clock, places: Places) -> Operations:
    """What can be asked, of the database that the daemon uses."""
    state_dir = Path(told["state_dir"])
    database = guard(Database(told["database"]), state_dir)
    return Operations(database, state_dir=state_dir, clock=clock, environ=os.environ, places=places)
