"""The browser tests notice what they are there to notice: errors, forbidden code, requests to others."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from playwright.sync_api import Page

from tests.waiting import eventually
from tests.web.browser.accessibility import violations
from tests.web.browser.site import Site
from tests.web.browser.tabs import Look, Tabs

_POLICY = {"Content-Security-Policy": "default-src 'self'"}
_PAGES = {
    "good": ("<!doctype html><title>good</title><p>well", _POLICY),
    "free": ("<!doctype html><title>free</title>", {}),
    "grey": (
        "<!doctype html><html lang=en><title>grey</title><main><h1>Grey</h1><p class=pale>pale</p></main>"
        "<link rel=stylesheet href=/grey.css>",
        _POLICY,
    ),
    "console": ("<script>console.error('broken')</script>", {}),
    "throws": ("<script>throw new Error('thrown')</script>", {}),
    "inline": ("<!doctype html><p style='color: red'>styled", _POLICY),
    "missing": ("<!doctype html><link rel=stylesheet href=/nowhere.css>", {}),
    "elsewhere": (
        "<!doctype html><img src='http://192.0.2.1/pixel.png'><img src='http://cdn.invalid/x.png'>",
        {},
    ),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    app = FastAPI()

    @app.get("/favicon.ico")
    async def favicon() -> HTMLResponse:
        return HTMLResponse("")

    @app.get("/grey.css")
    async def grey() -> Response:
        return Response("body { background: white } .pale { color: #ccc }", media_type="text/css")

    @app.get("/{name}")
    async def page(name: str) -> HTMLResponse:
        text, headers = _PAGES.get(name, ("", {}))
        return HTMLResponse(text, 200 if text else 404, headers=headers)

    with Site(app) as served:
        yield served


@pytest.fixture
def address(site: Site) -> str:
    return site.address


def test_a_good_page_has_nothing_to_be_noticed(page: Page, tabs: Tabs) -> None:
    page.goto("/good")

    assert page.title() == "good"
    assert tabs.noticed.said == []


@pytest.mark.parametrize(
    ("name", "noticed"),
    [
        ("console", "console: broken"),
        ("throws", "page: thrown"),
        ("inline", "Content Security Policy"),
        ("missing", "404"),
        ("elsewhere", "another host was asked: http://192.0.2.1/pixel.png"),
        ("elsewhere", "another host was asked: http://cdn.invalid/x.png"),
    ],
)
def test_what_is_wrong_with_a_page_is_noticed(page: Page, tabs: Tabs, name: str, noticed: str) -> None:
    page.goto(f"/{name}")

    eventually(lambda: page.title() == "" and any(noticed in one for one in tabs.noticed.unexpected()))

    tabs.expect(".")  # this test has seen it


def test_no_host_but_this_machine_can_be_reached(page: Page, tabs: Tabs) -> None:
    tabs.expect("ERR_|another host")

    page.goto("/free")
    failed = page.evaluate("fetch('http://192.0.2.1/', {mode: 'no-cors'}).then(() => 'reached', String)")

    assert "Failed to fetch" in failed


def test_what_people_could_not_read_is_found(page: Page) -> None:
    page.goto("/grey")

    (found,) = violations(page)

    assert found.startswith("color-contrast: p: ")


def test_without_scripts_none_runs(tabs: Tabs) -> None:
    page = tabs.open(Look(scripts=False))

    page.goto("/throws")

    assert tabs.noticed.said == []


def test_the_thread_of_the_tests_stays_free_for_loops_of_their_own() -> None:
    async def work() -> str:
        return "done"

    assert asyncio.run(work()) == "done"
