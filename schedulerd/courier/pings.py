"""Calls a web address, so that the monitor behind it knows that something has happened."""

import urllib.error
import urllib.request
from typing import Final

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.shown_urls import without_secrets
from schedulerd.version import __version__

PING_SECONDS: Final = 10.0
"""How long the connection, and each part of the answer, may take."""

_AGENT: Final = {"User-Agent": f"schedulerd/{__version__}"}


def ping(errand: Errand) -> Answer:
    """Call it; never raises."""
    try:
        request = urllib.request.Request(errand.url, headers=_AGENT)
        with urllib.request.urlopen(request, timeout=PING_SECONDS) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        return _failed(errand, f"it answered {error.code} {error.reason}")
    except Exception as error:  # border: around a library that speaks to whatever is there
        return _failed(errand, str(getattr(error, "reason", error)) or type(error).__name__)
    return Answer(key=errand.key, is_done=True)


def _failed(errand: Errand, words: str) -> Answer:
    return Answer(key=errand.key, is_done=False, words=without_secrets(words, errand.url))
