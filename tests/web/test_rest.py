"""A server that nobody asks anything ends, and turns nobody away who comes in that very moment."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Final

import uvicorn
from starlette.responses import PlainTextResponse

from schedulerd.web.rest import Rest
from tests.waiting import SLOWER

_AFTER_SECONDS: Final = 0.001  # again and again while they come
_VISITORS: Final = 2
_RESTS: Final = 10


class Inn:
    """Serves on one socket with one server after the other: each goes to rest, and the next begins."""

    def __init__(self) -> None:
        self._listener: Final = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listener.getsockname()[1]
        self.ended = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="inn")

    def __enter__(self) -> "Inn":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            config = uvicorn.Config(PlainTextResponse("welcome"), log_level="warning", lifespan="off")
            server = uvicorn.Server(config)
            looks = threading.Thread(target=_look_at, args=[server])
            looks.start()
            server.run(sockets=[self._listener.dup()])
            looks.join()
            self.ended += 1


def _look_at(server: uvicorn.Server) -> None:
    clock = threading.Event()
    rest = Rest(server, after=_AFTER_SECONDS, monotonic=time.monotonic)
    while not rest.look():
        clock.wait(rest.every)


def _visit(inn: Inn) -> None:
    while inn.ended < _RESTS:
        assert _ask(inn.port) == "welcome"


def _ask(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=5 * SLOWER)
    connection.request("GET", "/")
    with closing(connection):
        return connection.getresponse().read().decode()


def test_nobody_is_turned_away_who_comes_just_as_it_goes_to_rest() -> None:
    with Inn() as inn, ThreadPoolExecutor(_VISITORS) as visitors:
        list(visitors.map(_visit, [inn] * _VISITORS))
