"""The editor of schedules while somebody types (points 28 to 30 and 35 of the pages' acceptance)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from schedulerd.domain.access import Role
from schedulerd.domain.schedules import Cron
from tests.migrated import new_database
from tests.web.browser.site import HOSTS, Site
from tests.web.browser.tabs import Look, Tabs
from tests.web.editor_scene import EditorScene
from tests.web.entering import cookie_for

NEW = "/schedules/new?flow=etl&kind=cron&timezone=Europe/Berlin"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[EditorScene]:
    database = new_database(tmp_path)
    yield EditorScene(database, tmp_path)
    database.close()


@pytest.fixture
def address(scene: EditorScene) -> Iterator[str]:
    with Site(scene.app(hosts=frozenset(HOSTS))) as site:
        yield site.address


@pytest.fixture
def cookie(scene: EditorScene) -> str:
    return cookie_for(scene.operations, Role.OPERATOR, "minji")


def fires(page: Page) -> list[str | None]:
    times = page.locator("#fires time")
    return [times.nth(number).get_attribute("datetime") for number in range(times.count())]


def test_what_is_typed_is_said_in_words_and_times_by_the_one_who_ticks(page: Page) -> None:
    """Point 28."""
    page.goto(NEW)
    page.get_by_label("Cron expression").fill("30 2 * * *")

    expect(page.locator("#preview-sentence")).to_contain_text("02:30")
    expect(page.locator("#fires time")).to_have_count(5)
    said = page.evaluate(
        """() => fetch("/api/v1/schedules/preview", {method: "POST", headers: {"content-type": "application/json"},
             body: JSON.stringify({expression: "30 2 * * *", timezone: "Europe/Berlin"})}).then((one) => one.json())"""
    )
    assert fires(page) == [fire["at"].replace(".000Z", "Z") for fire in said["fires"]]
    expect(page.locator("#fires thead")).to_contain_text("Europe/Berlin")
    expect(page.locator("#fires thead")).to_contain_text("Asia/Seoul (you)")
    expect(page.locator("#fires thead")).to_contain_text("UTC")
    expect(page.locator("#save")).to_be_enabled()


def test_a_wrong_token_is_marked_and_cannot_be_saved(page: Page) -> None:
    """Point 28."""
    page.goto(NEW)
    page.get_by_label("Cron expression").fill("30 25 * * *")

    expect(page.locator("#preview-sentence")).to_contain_text("'25' is not one of 0-23")
    expect(page.locator("#preview .carets")).to_have_text(re.compile(r"30 25 \* \* \*\n   \^\^"))
    expect(page.locator("#save")).to_be_disabled()

    page.get_by_label("Cron expression").fill("30 5 * * *")
    expect(page.locator("#save")).to_be_enabled()


def test_days_on_which_the_clocks_change_are_told(page: Page) -> None:
    """Point 29."""
    page.goto(NEW)
    page.get_by_label("Cron expression").fill("30 2 * * *")

    expect(page.locator("[data-code=dst-gap]")).to_contain_text("2027-03-28")
    expect(page.locator("[data-code=dst-fold]")).to_contain_text("2027-10-31")


def test_what_may_surprise_is_told_and_what_never_fires_is_not_saved(
    page: Page, tabs: Tabs, scene: EditorScene
) -> None:
    """Point 30."""
    page.goto(NEW)
    page.get_by_label("region").fill("kr")
    for cron, code, words in (("0 0 13 * 5", "either-day", "13"), ("*/7 * * * *", "uneven-step", "step 7")):
        page.get_by_label("Cron expression").fill(cron)
        expect(page.locator(f"[data-code={code}]")).to_contain_text(words)
        expect(page.locator("#save")).to_be_enabled()

    page.get_by_label("Cron expression").fill("0 0 30 2 *")
    expect(page.locator("#preview-sentence")).to_contain_text("never fire")
    expect(page.locator("#save")).to_be_disabled()
    tabs.expect("422")
    page.locator("#editor").evaluate("form => form.submit()")  # as without scripts
    expect(page.get_by_role("alert")).to_contain_text("never fire")
    assert scene.files() == []


def test_an_answer_that_comes_late_is_not_shown(page: Page, tabs: Tabs) -> None:
    tabs.expect("ERR_ABORTED|Failed to load resource")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if len(held) == 0 else route.continue_()

    page.goto(NEW)
    page.route("**/schedules/preview", hold)
    with page.expect_request("**/schedules/preview"):
        page.get_by_label("Cron expression").fill("0 1 * * *")
    page.get_by_label("Cron expression").fill("0 9 * * *")
    expect(page.locator("#preview-sentence")).to_contain_text("09:00")

    held[0].fulfill(
        body='<div id="preview" data-good="no"><p id="preview-sentence">late</p><div id="preview-rest"></div></div>',
        content_type="text/html",
    )

    expect(page.locator("#fires time")).to_have_count(5)
    expect(page.locator("#preview-sentence")).to_contain_text("09:00")


def test_only_the_sentence_is_read_aloud(page: Page) -> None:
    page.goto(NEW)

    assert page.locator("main [aria-live]").evaluate_all("all => all.map((one) => one.id)") == [
        "preview-sentence"
    ]


def test_other_kinds_of_time_are_chosen_without_losing_what_was_typed(page: Page) -> None:
    page.goto(NEW)
    page.get_by_label("Cron expression").fill("0 9 * * *")
    page.get_by_label("Interval").check()
    page.get_by_label("Every").fill("15m")
    expect(page.locator("#preview-sentence")).to_contain_text("15 minutes")
    expect(page.get_by_label("Cron expression")).to_be_hidden()

    page.get_by_label("Cron", exact=True).check()

    expect(page.get_by_label("Cron expression")).to_have_value("0 9 * * *")
    expect(page.locator("#preview-sentence")).to_contain_text("09:00")


def test_two_who_edit_at_once_lose_nothing(page: Page, tabs: Tabs, scene: EditorScene) -> None:
    """Point 35."""
    tabs.expect("412")
    scene.save()
    second = page.context.new_page()
    for one in (page, second):
        one.goto("/schedules/etl/edit")
    page.get_by_label("Cron expression").fill("0 7 * * *")
    expect(page.locator("#preview-sentence")).to_contain_text("07:00")
    page.locator("#save").click()
    expect(page.locator("h1")).to_have_text("etl")
    scene.read()

    second.get_by_label("Cron expression").fill("0 8 * * *")
    expect(second.locator("#preview-sentence")).to_contain_text("08:00")
    second.locator("#save").click()

    expect(second.locator("#stale")).to_contain_text("Changed by minji")
    expect(second.locator("#stale")).to_contain_text("0 7 * * *")
    expect(second.get_by_label("Cron expression")).to_have_value("0 8 * * *")
    second.get_by_role("button", name="Save mine over it").click()
    expect(second.locator("h1")).to_have_text("etl")
    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.when == Cron(expression="0 8 * * *", timezone="Asia/Seoul")


def test_before_and_after_stand_beside_each_other(page: Page, scene: EditorScene) -> None:
    scene.save()
    page.goto("/schedules/etl/edit")
    page.get_by_label("Cron expression").fill("0 7 * * *")

    expect(page.locator("#fires tbody tr").first).to_contain_text("07:00 KST")
    expect(page.locator("#fires-before tbody tr").first).to_contain_text("06:00 KST")
    expect(page.locator("#fires-before time")).to_have_count(5)


def test_without_scripts_a_button_shows_the_preview(tabs: Tabs) -> None:
    page = tabs.open(Look(scripts=False))
    page.goto(NEW)
    page.get_by_label("Cron expression").fill("30 2 * * *")
    page.get_by_role("button", name="Preview").click()

    expect(page.locator("#fires time")).to_have_count(5)
    expect(page.get_by_label("Cron expression")).to_have_value("30 2 * * *")


def test_the_editor_fits_on_a_phone(tabs: Tabs) -> None:
    page = tabs.open(Look(size=(360, 740)))
    page.goto(f"{NEW}&cron=30+2+*+*+*")

    expect(page.locator("#fires time")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert json.loads(page.evaluate("JSON.stringify(document.body.dataset.page)")) == "editor"
