"""Pages that go on by themselves (points 13 to 16 and 18 of the pages' acceptance; 12 and 17 are in `test_daemon.py`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from schedulerd.domain.states import RunState
from tests.migrated import new_database
from tests.waiting import eventually
from tests.web.browser.tabs import Tabs, is_live
from tests.web.browser.world import World

FIRST_ROW = "#runs-table tbody tr:first-child"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(new_database(tmp_path), tmp_path) as served:
        yield served


@pytest.fixture
def address(world: World) -> str:
    return world.address


def refreshed(page: Page) -> int:
    """How often a region of the page has been fetched again; it counts from the first call."""
    return int(
        page.evaluate(
            """() => {
                if (window.refreshed === undefined) {
                    window.refreshed = 0;
                    document.addEventListener("htmx:after:swap", () => (window.refreshed += 1));
                }
                return window.refreshed;
            }"""
        )
    )


def test_a_new_run_comes_by_itself_and_so_does_its_end(page: Page, world: World) -> None:
    page.goto("/runs")
    is_live(page)

    run = world.gallery.add_running()

    row = page.locator(f"#run-{run.key}")
    expect(row.locator(".state")).to_have_attribute("data-state", "running")
    world.gallery.end(run)
    expect(row.locator(".state")).to_have_attribute("data-state", "completed")
    expect(page.locator("#announcements")).to_contain_text("changed")


def test_what_somebody_types_and_reads_stays_as_it_is_while_the_page_goes_on(
    page: Page, world: World
) -> None:
    """Point 13, of the list."""
    page.goto("/runs")
    is_live(page)
    page.locator(".filter-help summary").click()
    field = page.locator("#q")
    field.fill("state:bad")
    chosen = page.locator(f"#pick-{world.gallery.failed.key}")
    chosen.check()
    field.focus()
    field.evaluate("field => field.setSelectionRange(2, 5)")
    refreshed(page)

    run = world.gallery.add_running()

    expect(page.locator("[data-show-new]")).to_have_text("1 new run: show")  # rows that are chosen stay
    assert refreshed(page) > 0
    expect(chosen).to_be_checked()
    expect(page.locator(f"#run-{run.key}")).to_have_count(0)
    assert field.evaluate(
        "field => [document.activeElement === field, field.value, field.selectionStart, field.selectionEnd]"
    ) == [True, "state:bad", 2, 5]
    expect(page.locator(".filter-help")).to_have_attribute("open", "")


def test_an_opened_traceback_stays_open_and_the_page_where_it_was(page: Page, world: World) -> None:
    """Point 13, of a run, within a region that is fetched again."""
    page.goto(f"/runs/{world.gallery.failed.id}")
    is_live(page)
    page.locator("#traceback summary").click()
    page.set_viewport_size({"width": 1280, "height": 300})
    page.evaluate("scrollTo(0, 120)")
    place = page.evaluate("scrollY")
    refreshed(page)

    page.evaluate(
        "document.getElementById('live').dispatchEvent(new CustomEvent('refresh', {bubbles: true}))"
    )

    eventually(lambda: refreshed(page))
    expect(page.locator("#traceback")).to_have_attribute("open", "")
    assert place > 0
    assert page.evaluate("scrollY") == place


def test_new_runs_are_announced_above_what_one_reads_and_shown_when_one_asks(
    page: Page, world: World
) -> None:
    """Point 14."""
    page.goto("/runs")
    is_live(page)
    page.evaluate("scrollTo(0, 400)")
    first = page.locator(FIRST_ROW).get_attribute("id")
    top = page.locator(FIRST_ROW).evaluate("row => row.getBoundingClientRect().top")

    run = world.gallery.add_running()

    pill = page.locator("[data-show-new]")
    expect(pill).to_have_text("1 new run: show")
    assert page.locator(FIRST_ROW).get_attribute("id") == first
    assert page.locator(FIRST_ROW).evaluate("row => row.getBoundingClientRect().top") == top
    pill.click()
    expect(page.locator(FIRST_ROW)).to_have_attribute("id", f"run-{run.key}")
    expect(pill).to_have_count(0)


def test_a_server_that_comes_back_is_found_again_and_what_was_missed_is_shown(
    page: Page, world: World, tabs: Tabs
) -> None:
    """Point 15."""
    tabs.expect(
        "Failed to fetch|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET"
    )
    run = world.gallery.add_running()
    page.goto("/runs")
    is_live(page)

    world.stop()
    expect(page.locator("#live-dot")).not_to_have_attribute("data-state", "live")
    world.gallery.end(run)
    world.start_again()

    is_live(page)
    expect(page.locator(f"#run-{run.key} .state")).to_have_attribute("data-state", "completed")


def test_many_tabs_do_not_take_all_connections(tabs: Tabs, world: World) -> None:
    """Point 16: browsers have six for a server; the streams of those that are not looked at are ended."""
    page = tabs.open()
    page.goto("/runs")
    is_live(page)

    for _ in range(7):
        page = page.context.new_page()
        page.goto("/runs", wait_until="load")
    is_live(page)

    eventually(lambda: dots(page.context).count("live") <= 3)
    assert set(dots(page.context)) == {"live", "polling"}
    run = world.gallery.add_running()
    for one in page.context.pages:
        expect(one.locator(f"#run-{run.key}")).to_be_visible()


def dots(context: BrowserContext) -> list[str]:
    """How the tabs of somebody stand."""
    return [str(one.locator("#live-dot").get_attribute("data-state")) for one in context.pages]


def test_a_tab_that_nobody_sees_listens_to_nothing_and_catches_up(page: Page, world: World) -> None:
    """Point 16, of a hidden tab."""
    page.goto("/runs")
    is_live(page)
    see(page, hidden=True)

    run = world.gallery.add_running()
    with pytest.raises(AssertionError):
        expect(page.locator(f"#run-{run.key}")).to_be_visible(timeout=1_500)
    see(page, hidden=False)

    is_live(page)
    expect(page.locator(f"#run-{run.key}")).to_be_visible()


def see(page: Page, *, hidden: bool) -> None:
    """Have the page believe that its tab is hidden, or to be seen; Playwright shows every one."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_without_a_stream_the_page_is_fetched_now_and_then_and_says_so(
    page: Page, world: World, tabs: Tabs
) -> None:
    """Point 18."""
    tabs.expect("ERR_FAILED")
    page.context.route("**/events?*", lambda route: route.abort())
    page.goto("/runs")

    expect(page.locator("#live-dot")).to_have_attribute("data-state", "polling")
    expect(page.locator("#live-dot")).to_have_text("Offline, polling")
    run = world.gallery.add_running()

    expect(page.locator(f"#run-{run.key}")).to_be_visible()


def test_paused_updates_wait_and_are_counted(page: Page, world: World) -> None:
    page.goto("/runs")
    is_live(page)
    page.keyboard.press("p")

    run = world.gallery.add_running()

    expect(page.locator("#live-dot")).to_have_text("Paused (1)")
    expect(page.locator(f"#run-{run.key}")).to_have_count(0)
    page.keyboard.press("p")
    expect(page.locator(f"#run-{run.key}")).to_be_visible()


def test_a_run_that_ends_is_shown_to_have_ended_wherever_it_is_named(page: Page, world: World) -> None:
    page.goto(f"/runs/{world.gallery.running.id}")
    is_live(page)

    world.gallery.end(world.gallery.running)

    expect(page.locator(".headline .state")).to_have_attribute("data-state", RunState.COMPLETED.value)
    expect(page.locator("#task-2 .state")).to_have_attribute("data-state", "completed")
    expect(page).to_have_title("✓ " + world.gallery.running.selector + " · schedulerd")
