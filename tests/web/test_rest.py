"""A server that nobody asks anything ends, and turns nobody away who comes in that very moment."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Final

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

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
    while not server.should_exit:
        rest.look()
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


async def _never_ends(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.01)


def test_a_stream_that_began_just_as_it_goes_to_rest_holds_up_nobody_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            _never_ends, log_level="critical", lifespan="off", timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener.dup()]})
        thread.start()
        with socket.create_connection(listener.getsockname()) as visitor:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert visitor.recv(1)

            Rest(server, after=0, monotonic=time.monotonic, patience=0.1).look()
            thread.join(5 * SLOWER)

    assert not thread.is_alive()
