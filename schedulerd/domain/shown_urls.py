"""URLs as they may be shown: a URL of a service holds its password or token, and often nothing else. Pure."""

import re
from hashlib import sha256
from typing import Final
from urllib.parse import unquote

HIDDEN: Final = "…"

# Services whose URL names a host, which is no secret; with all others what stands there may be a token.
_WITH_HOST: Final = frozenset(
    {"http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"}
)
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://([^/?#]*)")
_PARTS: Final = re.compile(r"[/:@?&=#,;+\s]+")
_SHORTEST_SECRET: Final = 4


def shown_url(url: str) -> str:
    """The kind of service, and its host where that can be told: `json://hooks.example.com/…`, `slack://…`."""
    found = _URL.match(url)
    if found is None:
        return HIDDEN
    scheme, place = found[1].lower(), found[2].rpartition("@")[2]
    return f"{scheme}://{place}/{HIDDEN}" if scheme in _WITH_HOST and place else f"{scheme}://{HIDDEN}"


def fingerprint(url: str) -> str:
    """Something to know a URL by, from which it cannot be found."""
    return sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def without_secrets(text: str, url: str) -> str:
    """The text with every part of the URL taken out of it that is not shown anyway."""
    shown = _PARTS.split(shown_url(url))
    forms = {url, unquote(url)}
    parts = {part for form in forms for part in (form, *_PARTS.split(form))} | {
        unquote(part) for part in _PARTS.split(url)
    }
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET and part not in shown:
            text = text.replace(part, HIDDEN)
    return text
