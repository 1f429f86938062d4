"""Signing in with a browser: by a form without scripts, and by a link (points 5, 34 and 40 of the pages' acceptance)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from schedulerd.domain.access import Role
from tests.migrated import new_database
from tests.web.browser.accessibility import has_no_violations
from tests.web.browser.tabs import Look, Tabs
from tests.web.browser.world import World
from tests.web.entering import ROOT

pytestmark = pytest.mark.usefixtures("world")

PASSWORD: Final = "canary battery staple 4711"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    served = World(new_database(folder), folder)
    served.operations.users.add("kim", Role.VIEWER, PASSWORD, by=ROOT)
    with served:
        yield served


def sessions(page: Page) -> list[Any]:
    """The cookies of sessions that the browser has."""
    return [one for one in page.context.cookies() if str(one.get("name")).startswith("schedulerd-")]


@pytest.mark.parametrize("look", [Look(scripts=False), Look(language="ko")], ids=["no scripts", "Korean"])
def test_a_user_signs_in_by_the_form_and_is_where_that_was_wanted(look: Look, tabs: Tabs) -> None:
    tabs.expect("status of 401")
    page = tabs.open(look, signed_in=False)
    page.goto("/runs?q=state:bad")
    assert "/login?next=" in page.url

    page.locator("#name").fill("kim")
    page.locator("#password").fill("wrong password 1")
    page.locator("#main button[type=submit]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    if look.scripts:
        has_no_violations(page)
    page.locator("#password").fill(PASSWORD)
    page.locator("#main button[type=submit]").click()

    expect(page).to_have_url(f"{page.url.partition('/login')[0].partition('/runs')[0]}/runs?q=state:bad")
    expect(page.locator("form[action='/logout'] .name")).to_have_text("kim")
    (cookie,) = sessions(page)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    page.locator("form[action='/logout'] button").click()
    expect(page.locator("#password")).to_be_visible()
    assert sessions(page) == []


def test_a_link_signs_in_by_one_button_and_not_by_being_looked_at(world: World, tabs: Tabs) -> None:
    code = world.operations.sign_in.make_code("root", Role.ADMIN, by=ROOT)
    tabs.expect("status of 403")
    preview, page, late = (tabs.open(signed_in=False) for _ in range(3))
    preview.goto(f"/enter/{code}")

    page.goto(f"/enter/{code}")
    page.locator("#main button[type=submit]").click()
    late.goto(f"/enter/{code}")
    late.locator("#main button[type=submit]").click()

    expect(page.locator("form[action='/logout'] .name")).to_have_text("root")
    expect(late.locator(".problem .status")).to_have_text("403")
    expect(late.locator(".problem .mend")).to_contain_text("schedulerd open")
    assert sessions(preview) == []


def test_a_viewer_is_told_which_role_is_missing(world: World, tabs: Tabs) -> None:
    tabs.expect("status of 403")
    page = tabs.open(signed_in=False)
    page.goto("/login")
    page.locator("#name").fill("kim")
    page.locator("#password").fill(PASSWORD)
    page.locator("#main button[type=submit]").click()

    page.goto(f"/runs/{world.gallery.running.id}/cancel")

    expect(page.locator(".problem .detail")).to_have_text("this needs the role operator; kim is viewer")
