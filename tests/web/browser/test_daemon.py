"""Pages of a real daemon (points 5, 12, 17 and 34 of the pages' acceptance)."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.waiting import SLOWER, eventually
from tests.web.browser.tabs import Look, Tabs, is_live

FLOWS = """
import time

from schedulerd import flow, task


@task
def waits(path: str) -> None:
    import os
    print("waiting for", path)
    while not os.path.exists(path):
        time.sleep(0.05)


@flow
def patient(path: str, region: str = "kr") -> str:
    waits(path)
    return region
"""


A_SECOND = 1.0 * SLOWER
# When each row of what runs now came (+) and went (-), by the clock of this machine.
_NOTE_RUNNING = """() => {
    window.noted = {};
    const rows = () => new Set([...document.querySelectorAll("#running [id^=now-]")].map(one => one.id));
    let before = rows();
    new MutationObserver(() => {
        const now = rows();
        for (const id of now) if (!before.has(id)) window.noted["+" + id] = Date.now();
        for (const id of before) if (!now.has(id)) window.noted["-" + id] = Date.now();
        before = now;
    }).observe(document.body, {childList: true, subtree: true, attributes: true});
}"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, web="port = 0")
    service.drop("patient.py", FLOWS)
    service.start()
    service.wait_for_flow("patient")
    yield service
    service.close()


@pytest.fixture
def address(service: Service) -> str:
    found = re.search(r"ready web=(http://127\.0\.0\.1:\d+)", service.log.read_text())
    assert found is not None
    return found[1]


def test_runs_are_started_followed_and_cancelled_at_pages_of_a_daemon_that_ends_in_time(
    page: Page, tabs: Tabs, service: Service, tmp_path: Path
) -> None:
    a_flow_is_run_and_cancelled_without_scripts(tabs.open(Look(scripts=False)), service, tmp_path)
    a_run_that_is_cancelled_goes_through_cancelling_before_ones_eyes(page, service, tmp_path)
    a_run_is_seen_when_it_begins_and_when_it_ends(page, service, tmp_path)

    assert tabs.noticed.unexpected() == []
    the_daemon_ends_in_time_while_somebody_listens(page, tabs, service)


def a_run_is_seen_when_it_begins_and_when_it_ends(page: Page, service: Service, tmp_path: Path) -> None:
    """Point 12, and of the dashboard point 13: who reads there is not disturbed."""
    gate = tmp_path / "gate"
    board = page.context.new_page()
    page.goto("/runs")
    is_live(page)
    board.goto("/")
    is_live(board)
    board.locator("#activity-table summary").click()
    board.set_viewport_size({"width": 1280, "height": 300})
    board.evaluate("scrollTo(0, 120)")
    board.evaluate(_NOTE_RUNNING)

    key = service.ask_for("patient", path=str(gate))

    state = page.locator(f"#run-{key} .state")
    expect(state).to_have_attribute("data-state", "running")
    expect(board.locator(f"#now-{key}")).to_have_count(1)
    gate.touch()
    expect(state).to_have_attribute("data-state", "completed")
    expect(board.locator(f"#now-{key}")).to_have_count(0)
    came, went = board.evaluate(f"[window.noted['+now-{key}'], window.noted['-now-{key}']]")
    run = service.run(key)
    assert run.started_at is not None
    assert run.ended_at is not None
    assert came / 1_000 - run.started_at.timestamp() <= A_SECOND
    assert went / 1_000 - run.ended_at.timestamp() <= A_SECOND
    expect(board.locator("#activity-table")).to_have_attribute("open", "")
    assert board.evaluate("scrollY") == 120
    assert board.evaluate("performance.getEntriesByType('navigation').length") == 1


def the_daemon_ends_in_time_while_somebody_listens(page: Page, tabs: Tabs, service: Service) -> None:
    """Point 17."""
    tabs.expect("ERR_|Failed to fetch")
    page.goto("/runs")
    is_live(page)

    status = service.stop(signal.SIGTERM, within=6)

    assert status == 0
    expect(page.locator("#live-dot")).not_to_have_attribute("data-state", "live")


def a_flow_is_run_and_cancelled_without_scripts(page: Page, service: Service, tmp_path: Path) -> None:
    """Points 5 and 34: with parameters, and with what cancelling does said before."""
    page.goto("/flows/patient/run")
    page.get_by_label("path").fill(str(tmp_path / "never"))
    page.get_by_label("region").fill("us")
    page.get_by_role("button", name="Run").click()

    expect(page.locator("h1")).to_contain_text("patient #1")
    eventually(lambda: page.reload() and page.locator("#tasks .state[data-state=running]").count() > 0)
    page.get_by_role("link", name="Cancel…").click()
    expect(page.locator(".effects")).to_contain_text("waits")
    page.get_by_label("Reason").fill("it is late")
    page.get_by_role("button", name="Cancel the run").click()

    eventually(
        lambda: page.reload() and page.locator(".headline .state").get_attribute("data-state") == "cancelled"
    )
    assert service.cli("runs", "show", "patient#1")["parameters"]["region"] == "us"


def a_run_that_is_cancelled_goes_through_cancelling_before_ones_eyes(
    page: Page, service: Service, tmp_path: Path
) -> None:
    """Point 34."""
    key = service.ask_for("patient", path=str(tmp_path / "never"))
    page.goto(f"/runs/{service.run(key).id}")
    is_live(page)
    expect(page.locator(".headline .state")).to_have_attribute("data-state", "running")
    beside = page.context.new_page()
    beside.goto(f"/runs/{service.run(key).id}/cancel")

    beside.get_by_role("button", name="Cancel the run").click()

    expect(page.locator(".headline .state")).to_have_attribute("data-state", "cancelled")
    expect(page.get_by_role("link", name="Cancel…")).to_have_count(0)
