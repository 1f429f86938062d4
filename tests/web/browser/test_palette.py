"""The palette over a page (points 11 and 39 of the pages' acceptance)."""

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.web.browser.accessibility import has_no_violations
from tests.web.browser.tabs import PHONE, Look, Tabs

pytestmark = pytest.mark.usefixtures("world")


def chosen(page: Page) -> str:
    """What Enter would choose, as it is told to a screen reader."""
    name = page.locator("#palette-q").get_attribute("aria-activedescendant")
    return page.locator(f"#{name} .of").inner_text()


def test_a_few_keys_open_lead_explain_and_give_the_focus_back(page: Page) -> None:
    """Point 11."""
    page.goto("/flows/etl")
    page.goto("/runs")
    field = page.locator("#q")
    field.fill("state:bad")
    field.evaluate("field => field.setSelectionRange(2, 5)")

    page.keyboard.press("Control+k")
    palette = page.locator("#palette-q")
    expect(palette).to_be_focused()
    expect(page.get_by_role("group", name="Recently seen").get_by_role("option")).to_have_text(["etl"])
    expect(page.get_by_role("option", name="Dashboard")).to_be_visible()

    palette.fill(">")
    expect(page.get_by_role("option", name="Run flow…")).to_be_visible()
    expect(page.locator("#palette-status")).to_contain_text("results")
    has_no_violations(page)
    page.get_by_role("option", name="Run flow…").click()
    expect(palette).to_have_value("> Run flow: ")
    expect(page.get_by_role("option", name="Run flow: billing.close")).to_be_visible()
    assert chosen(page) == "Run flow: billing.close"

    palette.fill("30 2 * * *")
    expect(page.locator(".palette-said .sentence")).to_have_text("at 02:30 every day, Asia/Seoul time")
    expect(page.locator(".palette-said .fires li")).to_have_count(5)
    has_no_violations(page)

    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(field).to_be_focused()
    assert field.evaluate("field => [field.value, field.selectionStart, field.selectionEnd]") == [
        "state:bad",
        2,
        5,
    ]

    page.keyboard.press("Control+k")
    page.keyboard.type("etl")
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/etl")


AT_ONCE = """text => {
    const press = (where, key, more) => where.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
    press(document.body, "k", { code: "KeyK", ctrlKey: true });
    const field = document.getElementById("palette-q");
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    press(field, "Enter");
}"""


@pytest.mark.parametrize("opened_before", [False, True], ids=["first", "again"])
def test_who_types_faster_than_the_palette_opens_is_led_there_too(page: Page, opened_before: bool) -> None:
    """All keys come in one moment, in which no script can be loaded and nothing be asked."""
    page.goto("/runs")
    if opened_before:
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option", name="Dashboard")).to_be_visible()
        page.keyboard.press("Escape")

    page.evaluate(AT_ONCE, "etl")

    page.wait_for_url("**/flows/etl")


def test_keys_of_an_input_method_choose_nothing(page: Page, tabs: Tabs) -> None:
    """Point 39: what Enter ends is the composition; the next one chooses."""
    page.goto("/runs")
    page.get_by_role("link", name="Find or do").click()
    expect(page.locator("#palette-q")).to_be_focused()
    session: CDPSession = page.context.new_cdp_session(page)

    session.send("Input.imeSetComposition", {"text": "ㅇㅇ", "selectionStart": 2, "selectionEnd": 2})
    expect(page.get_by_role("option", name="일일-정산", exact=True)).to_be_visible()
    for event in ("rawKeyDown", "keyUp"):  # as a browser tells of Enter while the input method has it
        session.send("Input.dispatchKeyEvent", {"type": event, "key": "Enter", "windowsVirtualKeyCode": 229})
    expect(page.locator("#palette")).to_be_visible()
    assert page.url.endswith("/runs")
    session.send("Input.insertText", {"text": "일일"})
    expect(page.locator("#palette-q")).to_have_value("일일")

    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/%EC%9D%BC%EC%9D%BC-%EC%A0%95%EC%82%B0")


def test_arrows_move_and_what_looks_otherwise_is_chosen_too(tabs: Tabs) -> None:
    page = tabs.open(Look(size=PHONE))
    page.goto("/flows")
    page.keyboard.press("Control+k")
    page.keyboard.type("> colours")
    expect(page.get_by_role("option")).to_have_count(2)
    assert chosen(page) == "Colours: light"

    page.keyboard.press("ArrowDown")
    assert chosen(page) == "Colours: dark"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/flows")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_contain_text("find or do")


def test_without_scripts_the_palette_is_a_page(tabs: Tabs) -> None:
    page = tabs.open(Look(scripts=False))
    page.goto("/runs")
    page.get_by_role("link", name="Find or do").click()
    page.get_by_label("Find or do").fill("> dark")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("button", name="Colours: dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
