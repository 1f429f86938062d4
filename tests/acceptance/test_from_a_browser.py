"""What a person does at the pages, from signing in to cancelling, while the web process and the daemon are killed under it."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from schedulerd.domain.runs import RunFilter
from tests.browsing import PATIENCE_SECONDS, Browser, at_a_free_port
from tests.service import Service, command_line, descendants
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

FLOW = """
import time
from schedulerd import flow, task

@task
def fetch(rows: int):
    print("fetched", rows)
    return rows

@task
def crunch(rows: int, patience: float):
    for turn in range(int(patience * 10)):
        print("turn", turn)
        time.sleep(0.1)
    if rows < 0:
        raise ValueError(f"{rows} rows")
    return rows

@flow
def etl(rows: int, patience: float = 0.0):
    return crunch(fetch(rows), patience)
"""
SCHEDULES = """
[[schedule]]
name = "nightly"
flow = "etl"
cron = "30 2 * * *"
parameters = { rows = 7 }
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, web=at_a_free_port())
    service.drop("etl.py", FLOW)
    service.schedule("nightly.toml", SCHEDULES)
    service.start()
    service.wait_for_flow("etl")
    yield service
    service.close()


@pytest.fixture
def browser(service: Service) -> Iterator[Browser]:
    browser = Browser(service)
    yield browser
    browser.close()


def kill_web_process(service: Service) -> None:
    def found() -> int | None:
        pids = [pid for pid in descendants(service.pid) if "web_program" in command_line(pid)]
        return pids[0] if pids else None

    pid = eventually(found)
    assert pid
    os.kill(pid, signal.SIGKILL)


def state_of(service: Service, page: str) -> str:
    return str(
        json.loads(service.command("runs", "show", page.rpartition("/")[2], "-o", "json").stdout)["state"]
    )


def test_a_run_started_at_a_page_is_followed_cancelled_and_run_again_whatever_is_killed(
    service: Service, browser: Browser
) -> None:
    key = browser.key_of("/flows/etl/run")
    stream = browser.events("runs")
    assert next(stream) == "hello"

    page = browser.send("/flows/etl/run", **{"p.rows": "3", "p.patience": "600", "key": key})
    again = browser.send("/flows/etl/run", **{"p.rows": "3", "p.patience": "600", "key": key})
    assert next(stream) == "runs"
    eventually(lambda: "turn 3" in browser.read(f"{page}/logs"), within=20)

    kill_web_process(service)
    assert list(stream) is not None  # it ends
    eventually(lambda: 'data-run-state="running"' in browser.read(page), within=20)
    service.kill()
    service.start()
    eventually(lambda: 'data-run-state="running"' in browser.read(page), within=20)
    lines = len(re.findall('<li id="L', browser.read(f"{page}/logs")))
    eventually(lambda: len(re.findall('<li id="L', browser.read(f"{page}/logs"))) > lines, within=20)

    browser.send(f"{page}/cancel", reason="wrong rows")
    eventually(lambda: state_of(service, page) == "cancelled", within=30)

    moves = browser.read(f"{page}/moves")
    key = browser.key_of(f"{page}/rerun")
    second = browser.send(f"{page}/rerun", **{"p.rows": "-1", "p.patience": "0", "key": key})
    eventually(lambda: state_of(service, second) == "failed", within=30)
    browser.send(f"{second}/retry", **{"from": "failed"})
    eventually(lambda: ">Attempt</dt><dd>2<" in browser.read(second), within=30)
    browser.send("/schedules/nightly/pause", reason="moving house")
    browser.send("/schedules/nightly/resume")

    assert page == again
    assert "wrong rows" in moves
    assert "(web)" in moves
    assert "ValueError: -1 rows" in browser.read(second)
    assert browser.read(f"{second}/logs").count("fetched -1") == 1  # what completed did not run again
    assert len(service.runs(RunFilter(limit=100))) == 2
    audit = service.command("audit").stdout
    assert "cancel" in audit
    assert service.broken_invariants() == []


def test_a_daemon_that_is_held_is_not_shown_as_if_all_were_well(service: Service, browser: Browser) -> None:
    assert "runs are started" in browser.read("/system")
    os.kill(service.pid, signal.SIGSTOP)
    try:
        eventually(lambda: "no runs are started" in browser.read("/system"), within=10)
        dashboard = browser.read("/")
        status = service.command("status")
    finally:
        os.kill(service.pid, signal.SIGCONT)
    eventually(lambda: "no runs are started" not in browser.read("/system"), within=10)

    assert "The daemon hangs" in dashboard
    assert status.returncode == 6


def test_whoever_asks_cannot_say_that_it_is_another(service: Service, browser: Browser) -> None:
    def status_from(number: int) -> int:
        wrong = {"name": "oper", "password": "not the password"}
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "Origin": browser.base}
        return httpx2.post(f"{browser.base}/login", data=wrong, headers=headers).status_code

    # The wait doubles each time, so that it is longer than a try soon, however slow the machine is.
    assert 429 in (status_from(number) for number in range(20))


def test_nobody_sees_anything_without_having_signed_in(service: Service) -> None:
    base = service.command("open").stdout.partition("/enter/")[0]

    for path in ("/", "/runs", "/flows/etl", "/events?topics=runs", "/system"):
        answer = httpx2.get(base + path, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
    assert httpx2.get(base + "/api/v1/flows", timeout=PATIENCE_SECONDS).status_code == 401
    assert httpx2.get(base + "/healthz", timeout=PATIENCE_SECONDS).text == "ok\n"
