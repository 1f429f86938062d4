"""The web process as a program: serves on an inherited socket until its lifeline is cut."""

import argparse
import os
import signal
import socket
import threading

import uvicorn

from schedulerd.clock import SystemClock
from schedulerd.web.app import make_app

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def main() -> None:
    """Run as a program: started by the daemon with two inherited descriptors."""
    arguments = argparse.ArgumentParser(prog="schedulerd-web")
    arguments.add_argument("--socket", type=int, required=True)
    arguments.add_argument("--lifeline", type=int, required=True)
    options = arguments.parse_args()
    listener = socket.socket(fileno=options.socket)
    host = listener.getsockname()[0]
    app = make_app(hosts={*_LOOPBACK, f"[{host}]" if ":" in host else host}, clock=SystemClock())
    config = uvicorn.Config(
        app,
        log_level="warning",
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=2,
        lifespan="off",
    )
    server = uvicorn.Server(config)

    def wait_for_the_end() -> None:
        os.read(options.lifeline, 1)  # returns when the daemon has gone, whatever became of it
        server.should_exit = True

    threading.Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()
    server.run(sockets=[listener])


def _ignore_interrupts() -> None:
    """Ctrl-C on a terminal is for the daemon, which then lets go of us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    _ignore_interrupts()
    main()
