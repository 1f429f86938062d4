"""What is asked of every page (docs: points 3, 4, 6, 7, 8 and 9 of the pages' acceptance)."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.web.browser.accessibility import has_no_violations
from tests.web.browser.chromium import Chromium
from tests.web.browser.page_table import ERRORS, PAGES
from tests.web.browser.tabs import PHONE, Look, Tabs
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")

EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
# Each language and each appearance once: what one looks like does not depend on the other.
LOOKS = (Look(), Look(theme="dark", language="ko"))


@pytest.fixture(scope="module")
def regulars(chromium: Chromium, world: World) -> Iterator[Tabs]:
    """The tabs of all tests of this file: what they look at changes nothing."""
    tabs = Tabs(chromium, world.address, cookie=world.cookie)
    yield tabs
    chromium.call(tabs.close)
    assert tabs.noticed.unexpected() == []


@pytest.fixture
def tabs(regulars: Tabs) -> Iterator[Tabs]:
    """The same. What they complain of after a test fails it."""
    yield regulars
    noticed = regulars.noticed.unexpected()
    regulars.noticed.forget()
    assert noticed == []


def go(page: Page, name: str, world: World, tabs: Tabs, *, more: str = "") -> None:
    """Open a page of the table, with `more` in its address."""
    status = ERRORS.get(name, 200)
    address = PAGES[name](world.gallery)
    if status != 200:
        tabs.expect(rf"status of {status} .*\({re.escape(world.address + address)}[&?:]")
    answer = page.goto(address + (f"{'&' if '?' in address else '?'}{more}" if more else ""))
    assert answer is not None
    assert answer.status == status


@EVERY_PAGE
def test_a_page_is_whole_in_both_languages_and_appearances(name: str, world: World, tabs: Tabs) -> None:
    """Points 3, 4 and 6: nothing is asked of another host, nothing is said in red, and axe-core has no objection."""
    for look in LOOKS:
        page = tabs.kept(look)
        go(page, name, world, tabs)

        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == look.language
        has_no_violations(page)


@EVERY_PAGE
def test_a_page_fits_a_phone_and_has_no_code_and_no_style_of_its_own(
    name: str, world: World, tabs: Tabs
) -> None:
    """Points 7 and 8; with texts that are longer than the English ones."""
    page = tabs.kept(Look(size=PHONE, scripts=False))

    go(page, name, world, tabs, more="lang=en-XA")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    for link in page.locator("nav.side a").all():
        box = link.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE[1]
    assert page.locator("style, script:not([src]), [style], [onclick]").count() == 0


def test_a_dark_system_is_shown_dark_pages_at_once(world: World, tabs: Tabs) -> None:
    """Point 7: the style sheet decides, before any script."""
    page = tabs.open(Look(theme="dark", scripts=False))

    go(page, "runs", world, tabs)

    red, green, blue = map(int, re.findall(r"\d+", background(page))[:3])
    assert red + green + blue < 100


def test_light_or_dark_is_remembered(world: World, page: Page, tabs: Tabs) -> None:
    """Point 7: the next page comes as it was chosen."""
    go(page, "runs", world, tabs)
    light = background(page)

    page.keyboard.press("t")
    page.reload()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert background(page) != light


@pytest.mark.parametrize("name", ["runs", "run-failed", "run-again", "log", "flows", "schedule"])
def test_the_keyboard_reaches_all_of_a_page(name: str, world: World, tabs: Tabs) -> None:
    """Point 9: the skip link first, every link and field in turn, each with a ring that is seen."""
    page = tabs.kept(Look())
    go(page, name, world, tabs)

    reached: list[dict[str, Any]] = []
    for _ in range(_MOST_STEPS):
        page.keyboard.press("Tab")
        told = page.evaluate(_FOCUSED)
        if told is None or told in reached[:1]:  # round: a page that came after another is not left first
            break
        reached.append(told)

    assert reached[0]["text"] == "Skip to content"
    assert len(reached) == page.evaluate(_REACHABLE)
    assert [one for one in reached if one["ring"] < 2] == []


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


_MOST_STEPS: Final = 500
# Of radio buttons of one name the keyboard reaches one, and goes on among them by arrows.
_REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled)
    .filter((one, at, all) => one.type !== "radio" || all.findIndex(other => other.name === one.name) === at)
    .length"""
_FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one);
    const ring = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
    return {text: one.textContent.trim(), tag: one.outerHTML.slice(0, 120), ring};
}"""
