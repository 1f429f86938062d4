"""A browser for each process of the tests, and somebody new in it for each test."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from schedulerd.clock import SystemClock
from schedulerd.domain.access import Role
from schedulerd.operations.operations import Operations
from tests.migrated import new_database
from tests.requirements import missing
from tests.service import Service
from tests.web.browser.chromium import Chromium, executable
from tests.web.browser.tabs import PATIENCE_MS, Tabs
from tests.web.browser.world import World
from tests.web.entering import cookie_for

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of this session; where there is none the test is skipped, or fails where it is required."""
    path = executable()
    if path is None:
        missing("chromium", "no chromium was found in PATH (Debian: apt-get install chromium fonts-noto-cjk)")
    with Chromium(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The gallery as a site, for a file of tests that says `pytestmark = pytest.mark.usefixtures("world")`."""
    folder: Path = tmp_path_factory.mktemp("world")
    with World(new_database(folder), folder) as served:
        yield served


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """Where the site of the test is; a file of tests that has another than the gallery says so."""
    if "world" not in request.fixturenames:
        return ""
    world: World = request.getfixturevalue("world")
    return world.address


@pytest.fixture
def cookie(request: pytest.FixtureRequest) -> str:
    """By what everybody is signed in at the site of the test: an administrator, or an operator of a service, which is asked by its database."""
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        return world.cookie
    if "service" not in request.fixturenames:
        return ""
    service: Service = request.getfixturevalue("service")
    database = service.database()
    asked = Operations(database, state_dir=service.state, clock=SystemClock())
    found = cookie_for(asked, Role.OPERATOR, "minji")
    database.close()
    return found


@pytest.fixture
def tabs(chromium: Chromium, address: str, cookie: str) -> Iterator[Tabs]:
    """The tabs of this test. What they complain of at its end fails it."""
    tabs = Tabs(chromium, address, cookie=cookie)
    yield tabs
    chromium.call(tabs.close)
    assert tabs.noticed.unexpected() == []


@pytest.fixture
def page(chromium: Chromium, tabs: Tabs) -> Page:
    """A page in English, light, as wide as a desk."""
    return chromium.call(tabs.open)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Run each test of this folder in the browser's thread, and keep what was to be seen when it failed."""
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    chromium, tabs = pyfuncitem.funcargs.get("chromium"), pyfuncitem.funcargs.get("tabs")
    if not isinstance(chromium, Chromium) or not isinstance(tabs, Tabs):
        return None
    chromium.call(partial(_run, pyfuncitem, arguments, tabs))
    return True


def _run(item: pytest.Function, arguments: dict[str, Any], tabs: Tabs) -> None:
    try:
        item.obj(**arguments)
    except BaseException:
        tabs.keep_sight(re.sub(r"[^\w.-]+", "-", item.name))
        raise
