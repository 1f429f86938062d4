"""Every page that there is, and where it is found in the gallery: pictures, route walk and accessibility go by it."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.web.browser.gallery import Gallery

PAGES: Final[Mapping[str, Callable[[Gallery], str]]] = {
    "runs": lambda _: "/runs",
    "runs-bad": lambda _: "/runs?q=state:bad",
    "runs-none": lambda _: "/runs?q=nothing-like-it",
    "runs-wrong-filter": lambda _: "/runs?q=stat:bad",
    "run-failed": lambda gallery: f"/runs/{gallery.failed.id}",
    "run-running": lambda gallery: f"/runs/{gallery.running.id}",
    "log": lambda gallery: f"/runs/{gallery.failed.id}/logs",
    "not-found": lambda _: "/nowhere",
}
"""The name of each, and its address."""

ERRORS: Final[Mapping[str, int]] = {"not-found": 404, "runs-wrong-filter": 400}
"""The status of those that are not found, or not understood."""
