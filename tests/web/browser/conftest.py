"""A browser for each process of the tests, and somebody new in it for each test."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.requirements import missing
from tests.web.browser.chromium import Chromium, executable
from tests.web.browser.tabs import PATIENCE_MS, Tabs

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of this session; where there is none the test is skipped, or fails where it is required."""
    path = executable()
    if path is None:
        missing("chromium", "no chromium was found in PATH (Debian: apt-get install chromium fonts-noto-cjk)")
    with Chromium(path) as browser:
        yield browser


@pytest.fixture
def address() -> str:
    """Where the site of the test is; a file of tests that has one says so."""
    return ""


@pytest.fixture
def tabs(chromium: Chromium, address: str) -> Iterator[Tabs]:
    """The tabs of this test. What they complain of at its end fails it."""
    tabs = Tabs(chromium, address)
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
