"""Calls a web address, so that the monitor behind it knows that something has happened."""

import urllib.error
import urllib.request
from base64 import b64encode
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.shown_urls import without_secrets
from schedulerd.version import __version__

PING_SECONDS: Final = 10.0
"""How long the connection, and each part of the answer, may take."""

_AGENT: Final = {"User-Agent": f"schedulerd/{__version__}"}


def ping(errand: Errand) -> Answer:
    """Call it; never raises."""
    if not errand.url.lower().startswith(("http://", "https://")):  # urllib would read files, too
        return _failed(errand, "it is no URL with http:// or https://")
    try:
        with urllib.request.urlopen(_request(errand.url), timeout=PING_SECONDS) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        return _failed(errand, f"it answered {error.code} {error.reason}")
    except Exception as error:  # border: around a library that speaks to whatever is there
        return _failed(errand, str(getattr(error, "reason", error)) or type(error).__name__)
    return Answer(key=errand.key, is_done=True)


def _request(url: str) -> urllib.request.Request:
    """What is asked of it; a name and password in the URL go where HTTP has them, and to nobody it redirects to."""
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=place)), headers=_AGENT)
    if login:
        basic = b64encode(unquote_to_bytes(login)).decode()
        request.add_unredirected_header("Authorization", f"Basic {basic}")
    return request


def _failed(errand: Errand, words: str) -> Answer:
    return Answer(key=errand.key, is_done=False, words=without_secrets(words, errand.url))
