"""The web interface as others watch it, and as a process apart from the daemon."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.service import PROGRAM, Service
from tests.waiting import SLOWER, eventually

FLOW: Final = "from schedulerd import flow\n\n@flow\ndef hello():\n    print('hello')\n"
_ADDRESS: Final = re.compile(r"web_only web=(\S+)")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, web="port = 0")
    made.drop("hello.py", FLOW)
    made.start()
    try:
        yield made
    finally:
        made.close()


def address_of(service: Service) -> str:
    """Where the daemon's web process is."""
    found = re.findall(r"ready web=(\S+)", service.log.read_text())
    return str(found[-1])


def asked(url: str, **headers: str) -> tuple[int, str]:
    # the authorities of this machine, which nobody asks, would be loaded at each look
    answer = httpx2.get(url, headers=headers, timeout=10 * SLOWER, verify=False)
    return answer.status_code, answer.text


def probe(url: str) -> tuple[int, str] | None:
    """The status and the word; None while nobody answers."""
    try:
        return asked(url)
    except httpx2.TransportError:
        return None


def token_of(service: Service, *scopes: str) -> str:
    words = [word for scope in scopes for word in ("--scope", scope)]
    token: str = service.cli("tokens", "create", "watching", *words)["token"]
    return token


@contextmanager
def apart(service: Service, *words: str) -> Iterator[str]:
    """A web process apart, on a port of its own; its address."""
    log = service.folder / "apart.log"
    command = [
        *PROGRAM,
        "--config",
        str(service.folder / "config" / "schedulerd.toml"),
        "start",
        "--no-scheduler",
        *words,
    ]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, cwd=service.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        eventually(
            lambda: _ADDRESS.search(log.read_text()) is not None or process.poll() is not None, within=30
        )
        found = _ADDRESS.search(log.read_text())
        assert found is not None, log.read_text()
        address = found[1]
        eventually(lambda: probe(f"{address}/healthz") == (200, "ok\n"), within=30)
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(10 * SLOWER) == 0
        assert probe(f"{address}/healthz") is None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_daemon_that_was_stopped_is_told_as_dead_until_it_goes_on(service: Service) -> None:
    address = address_of(service)
    eventually(lambda: probe(f"{address}/healthz") == (200, "ok\n"), within=30)
    eventually(lambda: probe(f"{address}/readyz") == (200, "ready\n"), within=30)

    os.kill(service.pid, signal.SIGSTOP)
    try:
        eventually(lambda: probe(f"{address}/healthz") == (503, "hangs\n"), within=30)
        assert probe(f"{address}/readyz") == (503, "hangs\n")
    finally:
        os.kill(service.pid, signal.SIGCONT)

    eventually(lambda: probe(f"{address}/healthz") == (200, "ok\n"), within=30)


def test_metrics_count_what_ran_for_who_has_a_token(service: Service) -> None:
    address = address_of(service)
    eventually(lambda: probe(f"{address}/healthz") == (200, "ok\n"), within=30)
    service.wait_for_flow("hello")
    service.wait_for_end(service.ask_for("hello"))
    bearer = f"Bearer {token_of(service, 'agents:read')}"

    def told() -> dict[str, float]:
        status, text = asked(f"{address}/metrics", Authorization=bearer)
        assert status == 200, text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def of_agent(name: str) -> float:
        return next((value for key, value in told().items() if key.startswith(f"{name}{{")), 0.0)

    assert told()['schedulerd_runs_ended_total{state="completed"}'] == 1
    assert told()['schedulerd_runs{state="running"}'] == 0
    assert told()["schedulerd_database_bytes"] > 10_000
    assert told()['schedulerd_web_requests_total{method="GET",status="2xx"}'] > 0
    eventually(lambda: of_agent("schedulerd_agent_ticks_total") > 0, within=30)
    assert of_agent("schedulerd_agent_up") == 1
    assert asked(f"{address}/metrics", Authorization="Bearer sdt_no_such")[0] == 401
    assert asked(f"{address}/metrics")[0] == 303


def test_a_web_process_apart_serves_beside_the_daemon_and_has_it_start_runs(service: Service) -> None:
    service.wait_for_flow("hello")
    bearer = f"Bearer {token_of(service, 'runs:trigger', 'runs:read', 'flows:read')}"

    with apart(service) as address:
        assert address != address_of(service)
        assert probe(f"{address}/readyz") == (200, "ready\n")
        asked_for = httpx2.post(
            f"{address}/api/v1/flows/hello/runs", headers={"Authorization": bearer}, timeout=10 * SLOWER
        )
        assert asked_for.status_code == 201, asked_for.text
        ended = f"{address}/api/v1/flows/hello/runs?state=completed"
        eventually(lambda: '"completed"' in asked(ended, Authorization=bearer)[1], within=30)

        service.stop()

        assert probe(f"{address}/healthz") == (200, "ok\n")
        eventually(lambda: probe(f"{address}/readyz") != (200, "ready\n"), within=60)
        assert asked(f"{address}/api/v1/flows/hello", Authorization=bearer)[0] == 200


def test_a_web_process_apart_does_not_make_a_database(tmp_path: Path) -> None:
    service = Service(tmp_path, web="port = 0")

    done = service.command("start", "--no-scheduler")

    assert done.returncode != 0
    assert "schedulerd" in done.stderr
    assert not (service.state / "schedulerd.db").exists()


@pytest.mark.parametrize("word", ["--no-web", "--detach"])
def test_what_does_not_go_with_a_web_process_apart_is_said(tmp_path: Path, word: str) -> None:
    service = Service(tmp_path)

    done = service.command("start", "--no-scheduler", word)

    assert done.returncode == 2
    assert "leave --no-web and --detach out" in done.stderr
