"""Debian's Chromium, and the one thread that may talk to it."""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, TypeVar

from playwright.sync_api import Browser, Playwright, sync_playwright

T = TypeVar("T")

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = [
    "--no-sandbox",  # it cannot be had by root, nor in most containers
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--font-render-hinting=none",
    # What a page asks of another host fails, as it does on a machine that has no way out. Routes of Playwright's
    # would do as well, but turn the browser's cache off, which is part of what is tested.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def executable() -> str | None:
    """Where the browser is, or None."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None)


class Chromium:
    """A browser, started when it is first asked for.

    Playwright keeps an event loop running in the thread that began with it. That of the tests must stay free for those
    that run one of their own, so the browser has a thread to itself, and whatever touches a page is done in `call`.
    """

    def __init__(self, path: str) -> None:
        self._path: Final = path
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop)
        self._thread.shutdown()

    def call(self, work: Callable[[], T]) -> T:
        """What `work` returns, done in the browser's thread."""
        return self._thread.submit(work).result()

    @property
    def browser(self) -> Browser:
        """The browser; for `call` only."""
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(
                executable_path=self._path, args=_ARGUMENTS, env=_environment()
            )
        return self._browser

    def _stop(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()


def _environment() -> dict[str, str | float | bool]:
    """Ours, but with no proxy, no bus and no display: nothing of the machine's is to be seen on a page."""
    dropped = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.lower().endswith("_proxy")
    }
