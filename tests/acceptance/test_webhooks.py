"""Runs that are asked for by a call from outside: a real daemon, its web process, and HTTP."""

import http.client
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.runs import RunFilter
from tests.acceptance.test_moved_clock import POSTGRES
from tests.service import Service, command_line, descendants, environment
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

SECRET = "canary-hook-2f6e8a90"
FLOWS = """
from schedulerd import flow
from schedulerd.schedules import Webhook

@flow(schedule=Webhook("orders", secret="orders-key", parameter="*", name="on-orders"))
def takes_orders(number: int, label: str = "") -> int:
    print("order", number)
    return number
"""
SCHEDULES = """
[[schedule]]
name = "deploys"
command = "echo deploying"
webhook = "deploy"
secret = "orders-key"
"""


class Called:
    """A service that can be called."""

    def __init__(self, folder: Path, url: str) -> None:
        self.service = Service(folder, url=url, web='port = 0\nhosts = ["hooks.example.com"]')
        self.service.drop("flows.py", FLOWS)
        self.service.schedule("deploys.toml", SCHEDULES)

    def start(self) -> None:
        self.service.start()
        eventually(lambda: len(self.service.cli("schedules", "list")) == 2, within=60)
        found = re.findall(r"ready web=http://127\.0\.0\.1:(\d+)", self.service.log.read_text())
        self.port = int(found[-1])
        eventually(self._is_there, within=60)

    def keep_secret(self) -> None:
        file = self.service.folder / "secret.txt"
        file.write_text(SECRET)
        done = self.service.command("secrets", "set", "orders-key", "--from-file", str(file))
        assert done.returncode == 0, done.stderr
        file.unlink()

    def _is_there(self) -> bool:
        try:
            return self.call("nothing", secret="x" * 20)[0] == 401
        except OSError:
            return False

    def call(
        self, hook: str, body: Any = None, *, secret: str = SECRET, key: str = "", host: str = "localhost"
    ) -> tuple[int, dict[str, Any]]:
        """The status, and what was answered. Raises `OSError`."""
        headers = {"Authorization": f"Bearer {secret}", "Host": host}
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                "POST", f"/api/v1/hooks/{hook}", None if body is None else json.dumps(body), headers
            )
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith(b"{") else {}
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def web(self) -> int:
        return next(pid for pid in descendants(self.service.pid) if "web_program" in command_line(pid))

    def trouble(self) -> str:
        """What `status` says is wrong with webhooks."""
        troubles = self.service.cli("status")["troubles"]
        return "".join(one["reason"] for one in troubles if one["kind"] == "webhooks")

    def ended(self, flow: str) -> list[Any]:
        found = self.service.runs(RunFilter(limit=1_000))
        return [run for run in found if run.flow == flow and run.ended_at]


@pytest.fixture
def called(tmp_path: Path, empty_url: str) -> Iterator[Called]:
    one = Called(tmp_path, empty_url)
    yield one
    one.service.close()


both = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param(POSTGRES, marks=pytest.mark.postgres)], indirect=True
)
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@both
def test_a_call_with_the_secret_runs_the_flow_and_one_without_does_not(called: Called) -> None:
    called.start()
    eventually(lambda: "there is no secret 'orders-key'" in called.trouble(), within=30)
    called.keep_secret()
    eventually(
        lambda: called.call("deploy")[0] == 202, within=30, every=2.0
    )  # the gate has heard of the secret
    eventually(lambda: not called.trouble(), within=30)

    status, said = called.call("orders", {"number": 7, "label": "x"}, host="hooks.example.com")
    refused = [
        called.call("orders", {"number": 1}, secret="wrong" * 5),
        called.call("nothing", {"number": 1}),
        called.call("orders", {"number": "seven"}),
        called.call("orders", {"number": 1}, host="evil.example.com"),
    ]

    assert (status, said["is_new"]) == (202, True)
    (run,) = eventually(lambda: called.ended("takes-orders"), within=60)
    assert (str(run.id), run.state, run.trigger, run.schedule) == (
        said["id"],
        "completed",
        "webhook",
        "on-orders",
    )
    assert (run.parameters, run.result_preview) == ({"number": 7, "label": "x"}, "7")
    assert [one[0] for one in refused] == [401, 401, 422, 421]
    (deployed,) = eventually(lambda: called.ended("deploys"), within=60)
    assert deployed.state == "completed"
    assert len(called.ended("takes-orders")) == 1
    shown = called.service.cli("schedules", "show", "on-orders")
    assert shown["when"]["kind"] == "webhook"
    assert SECRET not in called.service.log.read_text() + json.dumps(shown)
    called.service.stop()


@both
def test_what_the_web_process_is_told_is_in_none_of_its_arguments_and_variables(called: Called) -> None:
    called.start()

    seen = command_line(called.web()) + environment(called.web())

    address = called.service.url.rpartition("?")[0] or called.service.url
    assert address not in seen
    assert "--told" in seen
    called.service.stop()


@both
def test_whatever_is_killed_in_the_middle_each_key_makes_one_run(called: Called) -> None:
    called.start()
    called.keep_secret()
    eventually(lambda: called.call("deploy")[0] == 202, within=30, every=2.0)
    keys = [f"order-{number}" for number in range(40)]

    def try_once(key: str) -> int:
        try:
            return called.call("orders", {"number": int(key.partition("-")[2])}, key=key)[0]
        except OSError:  # it was killed
            return 0

    def try_often(key: str) -> bool:
        return eventually(lambda: try_once(key) == 202, within=30, every=0.1)

    with ThreadPoolExecutor(8) as threads:
        first = [threads.submit(try_once, key) for key in keys]
        eventually(lambda: sum(one.done() for one in first) >= 5, within=60)
        os.kill(called.web(), signal.SIGKILL)
        statuses = [one.result() for one in first]
        called.service.kill()
        called.start()
        assert all(threads.map(try_often, keys))

    assert 202 in statuses
    eventually(lambda: len(called.ended("takes-orders")) >= len(keys), within=90)
    runs = called.ended("takes-orders")
    assert sorted(run.parameters["number"] for run in runs) == list(range(40))
    called.service.stop()


@on_sqlite
def test_a_client_that_dawdles_holds_up_nobody_and_is_sent_away(called: Called) -> None:
    called.start()
    called.keep_secret()
    eventually(lambda: called.call("deploy")[0] == 202, within=30, every=2.0)
    head = (
        "POST /api/v1/hooks/orders HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {SECRET}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    slow = [socket.create_connection(("127.0.0.1", called.port), 60) for _ in range(50)]
    for one in slow:
        one.sendall(head.encode() + b'{"num')

    status, _ = called.call("orders", {"number": 1})

    assert status == 202
    (run,) = eventually(lambda: called.ended("takes-orders"), within=60)
    assert run.state == "completed"
    assert all(one.recv(12) == b"HTTP/1.1 408" for one in slow)
    for one in slow:
        one.close()
    assert len(called.ended("takes-orders")) == 1
    called.service.stop()
