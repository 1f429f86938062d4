"""What is revoked on the command line ends the streams of the web process, a process that nobody tells of it."""

import http.client
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.service import Service
from tests.waiting import SLOWER, eventually

WITHIN_SECONDS: Final = 2.0
FLOW: Final = """
from time import sleep

from schedulerd import flow


@flow
def quiet():
    print("here")
    while True:
        sleep(1)
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, web="port = 0")
    made.drop("quiet.py", FLOW)
    made.start()
    try:
        made.wait_for_flow("quiet")
        yield made
    finally:
        made.close()


class Listener:
    """Reads a stream to its end, in a thread of its own."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.heard = b""
        self.ended_at = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60 * SLOWER)
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        self._thread = threading.Thread(target=self._read, name=path)
        self._thread.start()

    def _read(self) -> None:
        while some := self._answer.read1(65_536):
            self.heard += some
        self.ended_at = time.monotonic()
        self._connection.close()

    def wait(self) -> None:
        self._thread.join()


def test_a_token_that_is_revoked_ends_events_and_the_log_that_is_followed(service: Service) -> None:
    found = re.search(r"ready web=http://127\.0\.0\.1:(\d+)", service.log.read_text())
    assert found is not None
    run = service.run(service.ask_for("quiet"))
    made = service.cli("tokens", "create", "listening", "--scope", "runs:read", "--scope", "logs:read")
    kept = service.cli("tokens", "create", "other", "--scope", "runs:read")
    paths = ("/events?topics=runs", f"/api/v1/runs/{run.id}/logs?follow=1")
    listeners = [Listener(int(found[1]), path, made["token"]) for path in paths]
    other = Listener(int(found[1]), paths[0], kept["token"])
    eventually(lambda: all(one.heard for one in (*listeners, other)), within=20)

    service.cli("tokens", "revoke", made["id"])
    revoked_at = time.monotonic()
    for one in listeners:
        one.wait()

    assert [one.ended_at - revoked_at < WITHIN_SECONDS * SLOWER for one in listeners] == [True, True]
    assert other.ended_at == 0.0
    service.cli("tokens", "revoke", kept["id"])
    other.wait()
