"""Pages of a real daemon (points 12 and 17 of the pages' acceptance)."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.service import Service
from tests.web.browser.tabs import Tabs, is_live

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


def test_a_run_is_seen_when_it_begins_and_when_it_ends(page: Page, service: Service, tmp_path: Path) -> None:
    """Point 12."""
    gate = tmp_path / "gate"
    page.goto("/runs")
    is_live(page)

    key = service.ask_for("patient", path=str(gate))

    state = page.locator(f"#run-{key} .state")
    expect(state).to_have_attribute("data-state", "running")
    gate.touch()
    expect(state).to_have_attribute("data-state", "completed")


def test_the_daemon_ends_in_time_while_somebody_listens(page: Page, tabs: Tabs, service: Service) -> None:
    """Point 17."""
    tabs.expect("ERR_|Failed to fetch")
    page.goto("/runs")
    is_live(page)

    status = service.stop(signal.SIGTERM, within=6)

    assert status == 0
    expect(page.locator("#live-dot")).not_to_have_attribute("data-state", "live")
