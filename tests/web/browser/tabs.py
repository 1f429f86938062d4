"""Tabs of the browser, and what they noticed: what a console or a network panel would show in red fails the test."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError, expect

from tests.waiting import SLOWER
from tests.web.browser.chromium import Chromium

REPOSITORY: Final = Path(__file__).parents[3]
FAILED: Final = REPOSITORY / "build" / "screenshots" / "failed"
"""Where the last sight of a test that failed is kept."""

DESK: Final = (1280, 800)
PHONE: Final = (360, 740)
ZONE: Final = "Asia/Seoul"
LOCALES: Final = {"en": "en-GB", "ko": "ko-KR"}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_LOCAL_SCHEMES: Final = ("about", "blob", "chrome-error", "data")
PATIENCE_MS: Final = 5_000.0 * SLOWER


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How somebody looks at pages. `theme` is what their system asks for."""

    theme: str = "light"
    language: str = "en"
    size: tuple[int, int] = DESK
    scripts: bool = True
    zone: str = ZONE


@dataclass(kw_only=True)
class Noticed:
    """What went wrong in tabs, but for what was `expected` (patterns)."""

    said: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def add(self, what: str) -> None:
        """Note it."""
        self.said.append(what)

    def unexpected(self) -> list[str]:
        """What nobody expected."""
        return [one for one in self.said if not any(pattern.search(one) for pattern in self.expected)]

    def forget(self) -> None:
        """Begin anew, but for what is expected: it may be heard late."""
        self.said.clear()


class Tabs:
    """The tabs of one test. Each `open` is somebody else: cookies are shared by the pages of one context only."""

    def __init__(self, chromium: Chromium, address: str = "", *, cookie: str = "") -> None:
        """With a `cookie` everybody is signed in."""
        self._chromium: Final = chromium
        self._cookie: Final = cookie
        self._address: Final = address
        self._contexts: Final[list[BrowserContext]] = []
        self._kept: Final[dict[Look, Page]] = {}
        self.noticed: Final = Noticed()

    def open(
        self, look: Look | None = None, *, headers: dict[str, str] | None = None, signed_in: bool = True
    ) -> Page:
        """An empty page of somebody new. Addresses such as `/runs` are those of the site."""
        look = look or Look()
        width, height = look.size
        options: dict[str, Any] = {
            "base_url": self._address or None,
            "viewport": {"width": width, "height": height},
            "color_scheme": look.theme,
            "reduced_motion": "reduce",
            "locale": LOCALES[look.language],
            "timezone_id": look.zone,
            "java_script_enabled": look.scripts,
            "extra_http_headers": headers,
        }
        context = self._chromium.browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        if self._cookie and signed_in:
            name = f"schedulerd-{urlsplit(self._address).port}"
            context.add_cookies([{"name": name, "value": self._cookie, "url": self._address}])
        self._watch(context)
        self._contexts.append(context)
        return context.new_page()

    def kept(self, look: Look) -> Page:
        """The page of somebody who looks so and has been here before: with another context goes a third of a processor's second."""
        if look not in self._kept:
            self._kept[look] = self.open(look)
        return self._kept[look]

    def expect(self, pattern: str) -> None:
        """What matches this, in a message of the console or of the network, is meant to happen."""
        self.noticed.expected.append(re.compile(pattern))

    def keep_sight(self, name: str) -> None:
        """Take a picture of every page, for somebody who wonders why a test failed."""
        FAILED.mkdir(parents=True, exist_ok=True)
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=FAILED / f"{name}{f'-{number}' if number else ''}.png")

    def close(self) -> None:
        """Close them all."""
        for context in self._contexts:
            context.close()

    def _watch(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", self._see_error)
        context.on("request", self._see_request)

    def _hear(self, message: ConsoleMessage) -> None:
        # Violations of the Content-Security-Policy are among them.
        if message.type in ("error", "assert"):
            where = message.location
            self.noticed.add(f"console: {message.text} ({where['url']}:{where['lineNumber']})")

    def _see_error(self, error: WebError) -> None:
        self.noticed.add(f"page: {error.error}")

    def _see_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _LOCAL_SCHEMES and address.hostname not in _LOOPBACK:
            self.noticed.add(f"another host was asked: {request.url}")


def is_live(page: Page) -> None:
    """Wait until the page listens to what changes."""
    expect(page.locator("#live-dot")).to_have_attribute("data-state", "live")
