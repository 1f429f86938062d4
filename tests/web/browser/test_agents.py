"""The pages of agents, with a real one (point 38 of the pages' acceptance)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from schedulerd.clock import SystemClock
from schedulerd.domain.access import Role
from schedulerd.operations.operations import Operations
from schedulerd.web.app import make_app
from tests.migrated import new_database
from tests.service import Service
from tests.waiting import SLOWER
from tests.web.browser.site import HOSTS, Site
from tests.web.browser.tabs import is_live
from tests.web.entering import cookie_for

FLOW = """
from pathlib import Path
from time import sleep

from schedulerd import flow


@flow
def patient(gate: str) -> None:
    while not Path(gate).exists():
        sleep(0.05)
"""


class ClockAhead(SystemClock):
    """The time, later by as much as one wants."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Watched:
    """A daemon without pages, and pages apart from it that look at its database by a clock of their own."""

    def __init__(self, folder: Path) -> None:
        self.service = Service(folder)
        self.service.drop("patient.py", FLOW)
        self.service.state.mkdir(exist_ok=True)
        self.database = new_database(self.service.state)
        self.clock = ClockAhead()
        operations = Operations(self.database, state_dir=self.service.state, clock=self.clock)
        self.cookie = cookie_for(operations, Role.OPERATOR, "minji")
        self.site = Site(make_app(hosts=HOSTS, clock=self.clock, operations=operations))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    try:
        with made.site:
            yield made
    finally:
        made.service.close()
        made.database.close()


@pytest.fixture
def address(watched: Watched) -> str:
    return watched.site.address


@pytest.fixture
def cookie(watched: Watched) -> str:
    return watched.cookie


def test_an_agent_is_seen_when_it_starts_lists_what_its_drain_waits_for_and_is_missed_when_it_is_killed(
    page: Page, watched: Watched, tmp_path: Path
) -> None:
    """Point 38."""
    service = watched.service
    page.goto("/agents")
    is_live(page)
    expect(page.locator(".empty")).to_contain_text("schedulerd start")

    service.start()  # returns when it says that it is ready
    expect(page.locator(".state[data-agent=online]")).to_be_visible(timeout=2_000 * SLOWER)

    service.wait_for_flow("patient")
    run = service.run(service.ask_for("patient", gate=str(tmp_path / "gate")))
    block = page.locator("a.slot")
    expect(block).to_have_attribute("href", f"/runs/{run.id}")
    page.get_by_role("link", name="Drain…").click()
    expect(page.locator(f"#going-{run.key}")).to_contain_text(run.flow)
    page.get_by_label("Reason").fill("a new kernel")
    page.get_by_role("button", name="Drain the agent").click()
    expect(page.locator("#drain")).to_contain_text("drained by minji: a new kernel")
    expect(page.locator(f"#going-{run.key} a")).to_have_attribute("href", f"/runs/{run.id}")

    page.goto("/")
    is_live(page)
    attention = page.locator("#attention")
    expect(attention).to_contain_text("starts no runs: drained by minji: a new kernel")
    expect(attention).not_to_contain_text("no sign of life")
    service.kill()
    watched.clock.ahead = timedelta(seconds=31)

    expect(attention).to_contain_text("has given no sign of life")
    page.goto("/agents")
    expect(page.locator(".state[data-agent=offline]")).to_be_visible()
