"""Somebody at the pages of a running service, without a real browser."""

import re
import socket
from collections.abc import Iterator
from typing import Final

import httpx2

from tests.service import Service

PATIENCE_SECONDS: Final = 90.0
"""How long one waits for an answer."""


def at_a_free_port() -> str:
    """Settings of a web interface that a daemon that comes after has at the same port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"enabled = true\nport = {free.getsockname()[1]}"


class Browser:
    """Somebody at the pages of a service, signed in by a link from the command line."""

    def __init__(self, service: Service) -> None:
        link = service.command("open").stdout.strip()
        self.base = link.partition("/enter/")[0]
        self._client = httpx2.Client(
            base_url=self.base, headers={"Origin": self.base}, timeout=PATIENCE_SECONDS
        )
        form = self._client.get(link)
        assert form.status_code == 200
        assert self._client.post(link).status_code == 303
        assert httpx2.post(link).status_code == 403  # it was good once

    def close(self) -> None:
        self._client.close()

    def read(self, path: str) -> str:
        answer = self._client.get(path)
        return answer.text if answer.status_code == 200 else ""

    def send(self, path: str, **fields: str) -> str:
        """Where the form leads to."""
        answer = self._client.post(path, data=fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def key_of(self, path: str) -> str:
        key = re.search(r'name="key" value="([^"]+)"', self.read(path))
        assert key
        return key[1]

    def events(self, topics: str) -> Iterator[str]:
        """The names of events as they come, until the stream ends."""
        with self._client.stream("GET", f"/events?topics={topics}") as stream:
            try:
                for line in stream.iter_lines():
                    if line.startswith("event: "):
                        yield line.removeprefix("event: ")
            except httpx2.HTTPError:
                return
