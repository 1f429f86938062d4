"""The log of a run, as somebody reads it (points 19 to 23 of the pages' acceptance)."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from schedulerd.domain.runs import Run
from tests.waiting import SLOWER, eventually
from tests.web.browser.tabs import Look, Tabs, is_live
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")

MANY = 200_000
SOME = 12_000
IN_SIGHT = """line => {
    const box = document.getElementById("log").getBoundingClientRect(), one = line.getBoundingClientRect();
    return one.top >= box.top - 1 && one.bottom <= box.bottom + 1;
}"""
AT_THE_END = "box => box.scrollHeight - box.clientHeight - box.scrollTop < 4"


@pytest.fixture(scope="module")
def long_run(world: World) -> Run:
    """A run that has said more than a page holds."""
    return talkative(world, SOME)


def talkative(world: World, lines: int) -> Run:
    """A run that has said so many lines."""
    run = world.gallery.add_running()
    step = 50_000
    for start in range(1, lines + 1, step):
        numbers = range(start, min(lines + 1, start + step))
        world.gallery.say(run, *(f"line {number}" for number in numbers))
    return run


def line(page: Page, number: int) -> Locator:
    return page.locator(f"#L{number}")


def is_in_sight(found: Locator) -> bool:
    return bool(found.evaluate(IN_SIGHT))


def test_a_very_long_log_opens_at_its_end(page: Page, world: World) -> None:
    """Point 19."""
    run = talkative(world, MANY)

    page.goto(f"/runs/{run.id}/logs")

    eventually(lambda: is_in_sight(line(page, MANY)))
    assert page.locator("#log li").count() <= 1_000
    took = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert took < 1_000 * SLOWER
    page.goto(f"/runs/{run.id}/logs?line=120#L120")
    assert is_in_sight(line(page, 120))


def test_a_link_to_a_line_shows_it_and_marks_it(page: Page, long_run: Run) -> None:
    """Point 19."""
    page.goto(f"/runs/{long_run.id}/logs?line=120#L120")

    expect(line(page, 120)).to_have_attribute("data-ui-picked", "")
    assert is_in_sight(line(page, 120))
    assert line(page, 120).locator(".said").inner_text() == "line 120"


def test_a_range_that_is_picked_is_an_address_that_restores_it(tabs: Tabs, long_run: Run) -> None:
    """Point 19."""
    page = tabs.open()
    page.goto(f"/runs/{long_run.id}/logs?line=120#L120")
    line(page, 122).locator(".n").click()
    line(page, 125).locator(".n").click(modifiers=["Shift"])
    assert page.url.endswith("?line=122#L122-L125")

    somebody = tabs.open()
    somebody.goto(page.url)

    picked = somebody.locator("[data-ui-picked]")
    expect(picked).to_have_count(4)
    assert [one.get_attribute("id") for one in picked.all()] == ["L122", "L123", "L124", "L125"]


def test_lines_are_fetched_as_one_scrolls_and_dropped_on_the_far_side(page: Page, long_run: Run) -> None:
    """Point 19: never more than 10 000 lines in the page."""
    page.goto(f"/runs/{long_run.id}/logs")
    eventually(lambda: is_in_sight(line(page, SOME)))

    for _ in range(22):
        first = page.evaluate(
            "() => { const box = document.getElementById('log'); box.scrollTop = 0; return box.dataset.first }"
        )
        page.wait_for_function("first => document.getElementById('log').dataset.first !== first", arg=first)

    numbers = page.locator("#log li").evaluate_all("all => all.map(one => Number(one.id.slice(1)))")
    assert len(numbers) == 10_000
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] == SOME - 23 * 500 + 1


def test_lines_appear_as_they_are_written_and_reading_back_is_not_disturbed(
    page: Page, world: World, long_run: Run
) -> None:
    """Point 20."""
    page.set_viewport_size({"width": 1280, "height": 700})
    run = world.gallery.add_running()
    world.gallery.say(run, *(f"early {number}" for number in range(1, 201)))
    page.goto(f"/runs/{run.id}/logs")
    is_live(page)

    world.gallery.say(run, "fresh")
    expect(line(page, 201)).to_contain_text("fresh")
    assert page.locator("#log").evaluate(AT_THE_END)

    page.locator("#log").hover()
    page.mouse.wheel(0, -800)
    expect(page.locator("[data-log=follow]")).to_have_attribute("aria-pressed", "false")
    place = page.locator("#log").evaluate("box => box.scrollTop")
    world.gallery.say(run, "later", "latest")
    expect(page.locator("[data-log-jump]")).to_be_visible()
    assert page.locator("#log").evaluate("box => box.scrollTop") == place

    page.keyboard.press("f")
    expect(line(page, 203)).to_contain_text("latest")
    eventually(lambda: page.locator("#log").evaluate(AT_THE_END))
    expect(page.locator("[data-log-jump]")).to_be_hidden()


def test_colours_are_kept_and_nothing_else_of_a_terminal_is(page: Page, world: World) -> None:
    """Point 21."""
    run = world.gallery.add_running()
    world.gallery.say(
        run,
        "\x1b[31;1mred and bold\x1b[0m plain",
        "<script>console.error('run')</script>",
        "up\x1b[2A\x1b[K and\x1b]0;title\x07 on",
        "10%\r55%\r100%",
    )

    page.goto(f"/runs/{run.id}/logs")

    said = page.locator("#log .said")
    expect(said).to_have_count(4)
    expect(said.nth(0).locator("span")).to_have_class(re.compile(r"\bc1\b.*\ba1\b|\ba1\b.*\bc1\b"))
    assert said.nth(0).inner_text() == "red and bold plain"
    assert said.nth(1).inner_text() == "<script>console.error('run')</script>"
    assert said.nth(2).inner_text() == "up and on"
    assert said.nth(3).inner_text().startswith("100%")
    assert page.locator("#log script").count() == 0


def test_a_search_finds_what_is_far_from_what_is_shown_and_leads_from_match_to_match(
    page: Page, world: World
) -> None:
    """Point 22."""
    run = talkative(world, 3_000)
    world.gallery.say(run, "a needle", *(f"more {number}" for number in range(1_500)), "another Needle")
    page.goto(f"/runs/{run.id}/logs?line=1#L1")

    page.keyboard.press("/")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="2 matches")).to_be_visible()
    page.locator("#log").focus()
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"line=4502"))
    picked = page.locator("#log li[data-ui-picked] mark")
    expect(picked).to_have_text(re.compile("needle", re.IGNORECASE))


def test_a_level_hides_what_is_below_it(page: Page, world: World) -> None:
    """Point 22."""
    page.goto(f"/runs/{world.gallery.failed.id}/logs")
    page.locator("#log-level").select_option("warning")
    page.get_by_role("button", name="Show").click()

    page.wait_for_url("**level=warning*")
    levels = page.locator("#log li").evaluate_all("all => all.map(one => one.dataset.l)")
    assert levels == ["w", "e", "e"]


def test_the_log_can_be_read_without_scripts(tabs: Tabs, long_run: Run) -> None:
    page = tabs.open(Look(scripts=False))
    page.goto(f"/runs/{long_run.id}/logs")
    assert line(page, SOME).count() == 1

    page.get_by_role("link", name="Earlier lines").click()

    assert line(page, SOME - 700).count() == 1


def test_a_run_that_failed_says_why_and_leads_to_the_line(page: Page, world: World) -> None:
    """Point 23."""
    page.goto(f"/runs/{world.gallery.failed.id}")

    why = page.locator(".why")
    expect(why).to_contain_text("KeyError: 'region'")
    expect(why).to_contain_text("load")
    expect(why).to_contain_text("/srv/flows/etl.py:88")
    why.get_by_role("link").click()

    expect(page.locator("#log li[data-l=e]").first).to_contain_text("KeyError")
