"""Registering with a real daemon (points 31 and 32 of the pages' acceptance)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from schedulerd.clock import SystemClock
from schedulerd.domain.access import Role
from schedulerd.operations.operations import Operations
from tests.service import Service
from tests.waiting import eventually
from tests.web.browser.tabs import Tabs
from tests.web.entering import cookie_for

FLOW = """
from schedulerd import flow


@flow
def report(region: str, days: int = 3) -> str:
    return region
"""
CRONTAB = """\
# the night
SHELL=/bin/sh
@daily echo daily
*/10 * * * * echo often
61 * * * * echo broken
0 6 * * 1-5 echo report
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, web="port = 0")
    service.drop("report.py", FLOW)
    service.drop("broken.py", "import schedulerd\n\nimport nothing_like_this\n")
    service.start()
    service.wait_for_flow("report")
    eventually(lambda: service.is_broken("broken.py"))
    yield service
    service.close()


@pytest.fixture
def address(service: Service) -> str:
    found = re.search(r"ready web=(http://127\.0\.0\.1:\d+)", service.log.read_text())
    assert found is not None
    return found[1]


@pytest.fixture
def cookie(service: Service) -> str:
    database = service.database()
    asked = Operations(database, state_dir=service.state, clock=SystemClock())
    found = cookie_for(asked, Role.ADMIN, "minji")
    database.close()
    return found


def test_a_crontab_a_file_and_a_flow_that_was_found_are_registered(
    page: Page, tabs: Tabs, service: Service
) -> None:
    tabs.expect("422")

    a_crontab_is_explained_and_what_is_picked_is_imported(page, service)
    a_flow_file_is_written_and_known(page, service)
    a_flow_that_was_found_is_given_a_schedule(page, service)


def a_flow_that_was_found_is_given_a_schedule(page: Page, service: Service) -> None:
    """Point 31."""
    page.goto("/flows/new")
    expect(page.locator("#broken")).to_contain_text("broken.py:3")
    page.get_by_role("link", name="Schedule: report").click()
    page.get_by_label("Cron", exact=True).check()
    page.get_by_label("Cron expression").fill("30 2 * * *")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("days", exact=True).fill("many")
    page.get_by_label("region").fill("kr")
    expect(page.locator("#fires time")).to_have_count(5)
    page.locator("#save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("region")).to_have_value("kr")
    page.get_by_label("days", exact=True).fill("5")
    expect(page.locator("#fires time")).to_have_count(5)
    following = page.locator("#fires time").first.get_attribute("datetime")

    page.locator("#save").click()

    expect(page.locator("h1")).to_have_text("report")
    expect(page.locator(".toast")).to_contain_text("in force")
    (schedule,) = [one for one in service.cli("schedules", "list") if one["name"] == "report"]
    assert schedule["next_due"].replace(".000Z", "Z") == following
    assert schedule["parameters"] == {"region": "kr", "days": 5}
    page.goto("/flows/new")
    expect(page.get_by_role("link", name="Schedule: report")).to_have_count(0)


def a_crontab_is_explained_and_what_is_picked_is_imported(page: Page, service: Service) -> None:
    """Point 32."""
    page.goto("/flows/new/crontab")
    page.get_by_label("What crontab -l shows").fill(CRONTAB)
    page.get_by_role("button", name="Explain each line").click()
    kinds = page.locator("#lines tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.kind)")
    assert kinds == ["comment", "variable", "schedule", "schedule", "error", "schedule"]
    expect(page.locator("#lines")).to_contain_text("'61' is not one of 0-59")
    page.get_by_label("4", exact=True).uncheck()

    page.get_by_role("button", name="Import what is picked").click()

    expect(page.locator("#imported li")).to_have_count(2)
    commands = sorted(one["command"] for one in service.cli("schedules", "list"))
    assert commands == ["echo daily", "echo report"]


def a_flow_file_is_written_and_known(page: Page, service: Service) -> None:
    page.goto("/flows/new/file")
    page.get_by_label("Name of the file").fill("fresh.py")
    page.get_by_label("Text").fill("import nothing_like_this\n")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("alert")).to_contain_text("fresh.py:1")

    page.get_by_label("Text").fill(FLOW.replace("report", "fresh"))
    page.get_by_role("button", name="Check it").click()

    expect(page.get_by_role("link", name="fresh", exact=True)).to_be_visible()
    assert service.has_flow("fresh")
