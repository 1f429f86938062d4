"""The web application served on a port of this machine, in a thread of the test."""

import socket
import threading
from typing import Final, Self

import uvicorn
from fastapi import FastAPI

from tests.waiting import eventually

HOSTS: Final = {"127.0.0.1", "localhost"}


class Site:
    """Serves an application, as the web process does, until the end of the `with`."""

    def __init__(self, app: FastAPI, *, port: int = 0) -> None:
        self._listener: Final = socket.create_server(("127.0.0.1", port))
        self.port: Final[int] = self._listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            access_log=False,
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
        self._server: Final = uvicorn.Server(config)
        self._thread: Final = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="site"
        )

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._server.started or not self._thread.is_alive())
        assert self._server.started
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
