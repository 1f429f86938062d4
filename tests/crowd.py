"""Many who look at the pages, as fast as they can, in a process of their own: `python -m tests.crowd`."""

import argparse
import asyncio
import contextlib
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

PAGES: Final = ("/", "/flows", "/runs", "/runs?q=state:bad", "/runs/{run}", "/runs/{run}/logs")
_STREAMS_OF: Final = 5
_LISTENS_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.05
_STAYS_SECONDS: Final = 120.0
_CHUNK: Final = 1 << 16
_LITTLE: Final = 7


class Crowd:
    """They look until the end of the `with`, and have then got some pages; `answers` are how many there were, by status (or `stream`)."""

    def __init__(self, port: int, cookie: str, *, run: str, count: int) -> None:
        self._words: Final = [
            *("--port", str(port), "--cookie", cookie, "--run", run, "--count", str(count)),
        ]
        self.answers: Counter[str] = Counter()

    def __enter__(self) -> Self:
        # In a session of its own, as they are on other machines: it is no part of what the daemon shares its time with.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crowd", *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        told, _nothing = self._process.communicate()  # its input ends, and so does it
        self.answers = Counter({word: int(number) for word, number in map(str.split, told.splitlines())})


class SlowReader:
    """Somebody who reads a stream a few bytes at a time, each time when told to, until the end of the `with`."""

    def __init__(self, port: int, cookie: str, path: str) -> None:
        self._connection: Final = socket.socket()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the least there is
        self._connection.settimeout(90)
        self._connection.connect(("127.0.0.1", port))
        self._connection.sendall(_request(port, cookie, path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self) -> bytes:
        """A little more of it."""
        return self._connection.recv(_LITTLE)


def _request(port: int, cookie: str, path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Cookie: schedulerd-{port}={cookie}",
        "Accept: text/html, text/event-stream",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _look_on(
    port: int, cookie: str, paths: Sequence[str], answers: Counter[str], *, listens: bool
) -> None:
    for number in range(sys.maxsize):
        path = "/events?topics=runs" if listens else paths[number % len(paths)]
        try:
            answers["stream" if listens else await _load(port, cookie, path)] += 1
            if listens:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LISTENS_SECONDS):
                        await _load(port, cookie, path)
        except OSError:  # nobody listens, or has just been killed
            answers["none"] += 1
            await asyncio.sleep(_PAUSE_SECONDS)


async def _load(port: int, cookie: str, path: str) -> str:
    """The status of a page that is read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_request(port, cookie, path))
        first = await reader.readline()
        while await reader.read(_CHUNK):
            pass
        return first.split()[1].decode() if first else "none"
    finally:
        writer.close()


async def _be_there(port: int, cookie: str, run: str, count: int) -> Counter[str]:
    answers: Counter[str] = Counter()
    paths = [page.format(run=run) for page in PAGES]
    looking = [
        asyncio.create_task(
            _look_on(
                port, cookie, paths[at % len(paths) :] + paths[: at % len(paths)], answers, listens=listens
            )
        )
        for at in range(count)
        for listens in (at % _STREAMS_OF == 0,)
    ]
    await asyncio.to_thread(sys.stdin.read)
    with contextlib.suppress(
        TimeoutError
    ):  # the web process is nice, and on a busy machine it is long in answering
        async with asyncio.timeout(_STAYS_SECONDS):
            while answers["200"] <= count:
                await asyncio.sleep(_PAUSE_SECONDS)
    for one in looking:
        one.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return answers


def main() -> None:
    """Look on until the input ends; then say how many answers there were."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--cookie", required=True)
    arguments.add_argument("--run", required=True)
    arguments.add_argument("--count", type=int, required=True)
    options = arguments.parse_args()
    for word, number in asyncio.run(
        _be_there(options.port, options.cookie, options.run, options.count)
    ).items():
        print(word, number)


if __name__ == "__main__":
    main()
