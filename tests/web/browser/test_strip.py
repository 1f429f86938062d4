"""The heat strip of a flow (point 27 of the pages' acceptance)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.migrated import new_database
from tests.web.browser.tabs import is_live
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with World(new_database(folder), folder) as served:
        for _ in range(30):
            served.gallery.end(served.gallery.add_running("etl"))
        yield served


def test_arrows_go_through_the_last_runs_and_enter_opens_one(page: Page, world: World) -> None:
    """Point 27."""
    page.goto("/flows")
    is_live(page)
    frame = page.locator("[data-strip='/flows/etl/strip']")
    told = page.request.get("/api/v1/flows/etl/strip").json()
    words = ", ".join(f"{count} {state}" for state, count in told["counts"].items())
    expect(frame.get_by_role("img")).to_have_attribute("aria-label", f"Newest runs: {words}")

    frame.get_by_role("link").focus()
    bars = frame.get_by_role("listbox")
    expect(bars).to_be_focused()
    expect(bars.get_by_role("option")).to_have_count(30)
    chosen = bars.locator("[aria-selected=true]")
    expect(chosen).to_have_attribute("data-href", f"/runs/{told['items'][29]['id']}")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(chosen).to_have_attribute("data-href", f"/runs/{told['items'][28]['id']}")
    expect(bars.locator(".strip-said")).to_contain_text(f"etl #{told['items'][28]['number']}: completed")

    # What happens meanwhile changes the page, and not what somebody looks through.
    newer = world.gallery.add_running("billing.close")
    expect(page.locator("tbody tr", has_text="billing.close").locator(".number")).to_have_text(
        f"#{newer.number}"
    )
    expect(bars).to_be_focused()
    page.keyboard.press("Tab")
    expect(frame.get_by_role("img")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(bars).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/runs/{told['items'][0]['id']}")


def test_who_points_at_a_bar_is_told_of_its_run_and_opens_it(page: Page, world: World) -> None:
    page.goto("/flows/etl")
    is_live(page)
    frame = page.locator("[data-strip]")

    frame.hover()
    bars = frame.get_by_role("option")
    expect(bars).to_have_count(30)
    bars.nth(3).hover()
    expect(frame.locator(".strip-said")).to_have_text(bars.nth(3).inner_text())
    bars.nth(3).click()

    page.wait_for_url("**/runs/*")
