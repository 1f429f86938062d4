"""What a browser holds the pages to (point 40, and what a viewer sees: point 34); requests by hand are in `tests/web/test_gate.py`."""

import re
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Page, expect

from schedulerd.domain.access import Role
from schedulerd.domain.states import RunState
from tests.web.browser.site import Site
from tests.web.browser.tabs import Tabs
from tests.web.browser.world import World
from tests.web.entering import ROOT, cookie_for

pytestmark = pytest.mark.usefixtures("world")


def enter(page: Page, world: World, role: Role) -> None:
    """Sign in as somebody in this role."""
    name = f"schedulerd-{urlsplit(world.address).port}"
    cookie = cookie_for(world.operations, role)
    page.context.add_cookies([{"name": name, "value": cookie, "url": world.address}])


def test_a_stranger_is_asked_who_it_is_and_comes_in_by_a_session_that_scripts_do_not_see(
    tabs: Tabs, world: World
) -> None:
    """Point 40."""
    page = tabs.open(signed_in=False)
    page.goto("/flows")
    page.wait_for_url(re.compile(r"/login\?next="))

    code = world.operations.sign_in.make_code("jun", Role.ADMIN, by=ROOT)
    page.goto(f"/enter/{code}")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(page.locator(".who")).to_contain_text("jun")
    (session,) = [one for one in page.context.cookies() if one["name"].startswith("schedulerd-")]
    assert session["httpOnly"]
    assert session["sameSite"] == "Lax"
    assert session["value"] not in page.evaluate("document.cookie")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto("/flows")
    page.wait_for_url(re.compile(r"/login\?next="))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["another port", "another site"])
def test_a_page_of_somebody_else_cannot_make_the_browser_do_anything(
    page: Page, tabs: Tabs, world: World, host: str
) -> None:
    """Point 40: cookies go to every port of a host, and yet."""
    tabs.expect("status of 40[13]|favicon")
    target = f"{world.address}/runs/{world.gallery.running.id}/cancel"
    evil = FastAPI()

    @evil.get("/")
    async def trap() -> HTMLResponse:
        return HTMLResponse(f"<form method=post action='{target}'><button>Win a prize</button></form>")

    @evil.get("/favicon.ico")
    async def icon() -> HTMLResponse:
        return HTMLResponse("")

    with Site(evil) as other:
        page.goto(other.address.replace("127.0.0.1", host))
        with page.expect_response(target) as answer:
            page.get_by_role("button").click()

    assert answer.value.status in (401, 403)
    assert world.gallery.run(world.gallery.running.key).state is RunState.RUNNING


def test_a_viewer_is_shown_nothing_that_it_may_not_do_and_may_not_do_it_and_an_operator_is(
    tabs: Tabs, world: World
) -> None:
    """Point 34."""
    tabs.expect("status of 403")
    page = tabs.open(signed_in=False)
    enter(page, world, Role.VIEWER)
    page.goto(f"/runs/{world.gallery.running.id}")
    expect(page.locator("#run-page")).to_be_visible()

    assert page.get_by_role("link", name="Cancel…").count() == 0
    status = page.evaluate(
        "address => fetch(address, {method: 'POST', body: new URLSearchParams()}).then(answer => answer.status)",
        f"/runs/{world.gallery.running.id}/cancel",
    )
    assert status == 403

    enter(page, world, Role.OPERATOR)
    page.reload()
    expect(page.get_by_role("link", name="Cancel…")).to_be_visible()
