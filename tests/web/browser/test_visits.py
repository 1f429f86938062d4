"""What somebody's first visit costs, and what keys do (points 2 and 10 of the pages' acceptance)."""

import re

import pytest
from playwright.sync_api import Page, Response, expect

from schedulerd.domain.runs import RunFilter
from tests.web.browser.tabs import Look, Tabs, is_live
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")

MOST_BYTES = 60 * 1024
MOST_REQUESTS = 8


def test_a_first_visit_is_small_and_the_next_asks_for_the_page_alone(page: Page) -> None:
    """Point 2."""
    answers: list[Response] = []

    def note(answer: Response) -> None:  # Playwright takes no method of a list
        answers.append(answer)

    page.on("response", note)
    page.goto("/runs")
    is_live(page)
    files = [answer for answer in answers if "/static/" in answer.url]

    assert len(answers) <= MOST_REQUESTS
    assert all("immutable" in (one.header_value("cache-control") or "") for one in files)
    assert all(
        one.header_value("content-encoding") == "gzip" for one in files if not one.url.endswith(".txt")
    )
    assert page.evaluate(_TRANSFERRED) <= MOST_BYTES

    page.goto("/flows")
    is_live(page)
    assert page.evaluate("performance.getEntriesByType('resource').map(one => one.transferSize)") == [
        0
    ] * len(files)


_TRANSFERRED = """() => performance.getEntriesByType("navigation")
    .concat(performance.getEntriesByType("resource"))
    .reduce((sum, one) => sum + one.transferSize, 0)"""


def test_without_scripts_runs_are_filtered_and_paged_and_a_schedule_is_paused(
    tabs: Tabs, world: World
) -> None:
    """Point 5; to run a flow and to cancel it is in `test_daemon.py`."""
    page = tabs.open(Look(scripts=False))
    page.goto("/runs")
    newest = page.locator("#runs-table tbody tr").first.get_attribute("id")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(f"#{newest}")).to_have_count(0)
    assert page.locator("#runs-table tbody tr").count() > 0
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("#runs-table tbody tr").first).to_have_attribute("id", newest or "")
    page.get_by_label("Filter", exact=True).fill("state:failed flow:etl")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#runs-table tbody .run-link").first).to_contain_text("etl")
    states = page.locator("#runs-table tbody .state").evaluate_all("all => all.map(one => one.dataset.state)")
    assert set(states) == {"failed"}

    page.goto("/schedules/nightly")
    page.get_by_label("Reason").fill("until the audit is over")
    page.get_by_role("button", name="Pause the schedule").click()
    expect(page.locator(".card")).to_contain_text("minji (web) · until the audit is over")
    page.get_by_role("button", name="Resume").first.click()
    expect(page.get_by_role("button", name="Pause the schedule")).to_be_visible()


def test_going_back_keeps_what_was_typed(page: Page) -> None:
    """Point 31."""
    page.goto("/schedules/new?flow=etl&kind=cron")
    page.get_by_label("Cron expression").fill("15 4 * * *")
    page.get_by_label("region").fill("us")
    page.get_by_role("link", name="Register").first.click()
    expect(page.locator("#discovered")).to_be_visible()

    page.go_back()

    expect(page.get_by_label("Cron expression")).to_have_value("15 4 * * *")
    expect(page.get_by_label("region")).to_have_value("us")


def test_a_run_is_had_again_once_with_what_was_changed(page: Page, world: World) -> None:
    """Point 33."""
    page.goto(f"/runs/{world.gallery.failed.id}/rerun")
    rows = page.get_by_label("rows")
    field = page.locator(".field", has=rows)
    expect(rows).to_have_value("20000")
    expect(field).not_to_have_class(re.compile("changed"))

    rows.fill("7")
    expect(field).to_have_class(re.compile("changed"))
    expect(field).to_contain_text("was 20000")
    page.get_by_role("button", name="Run", exact=True).dblclick()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}$"))

    with world.database.read() as tx:
        made = [run.parameters for run in tx.runs.list(RunFilter(flows=("etl",), limit=10))]
    assert made.count({"region": "kr", "rows": 7}) == 1


def test_single_keys_open_the_sheet_lead_elsewhere_and_reach_the_filter(page: Page) -> None:
    """Point 10."""
    page.goto("/flows")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()

    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("gr?")
    expect(page.locator("#q")).to_have_value("gr?")
    expect(page.locator("#shortcuts")).to_be_hidden()

    page.locator("#q").blur()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")


def test_single_keys_can_be_turned_off(page: Page) -> None:
    """Point 10; WCAG 2.1.4."""
    page.goto("/runs")
    page.keyboard.press("?")
    page.get_by_label("Single keys work").uncheck()
    page.get_by_role("button", name="Close").click()

    page.keyboard.press("?")
    page.keyboard.press("/")

    expect(page.locator("#shortcuts")).to_be_hidden()
    expect(page.locator("#q")).not_to_be_focused()
    page.reload()
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()


def test_keys_go_from_row_to_row_and_open_one(page: Page) -> None:
    page.goto("/runs")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")

    here = page.locator("#runs-table tbody tr").nth(1)
    expect(here.get_by_role("link").first).to_be_focused()
    name = here.locator(".run-link").inner_text()
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text(name)


def test_somebodys_own_zone_is_taken_by_the_next_page(tabs: Tabs) -> None:
    """Times are right before any script has run: the zone is in a cookie from the first page on."""
    page = tabs.open(Look(zone="Europe/Berlin"))  # not that of the site
    page.goto("/runs")
    page.reload()

    expect(page.locator(".tools .zone")).to_have_text("Europe/Berlin")
