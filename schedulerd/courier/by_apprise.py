"""Sends a message by Apprise: the one door to it."""

import logging
from typing import Final

import apprise

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.shown_urls import shown_url, without_secrets

_log: Final = logging.getLogger("apprise")


def send(errand: Errand) -> Answer:
    """Send it; never raises."""
    said = _Listener()
    _log.addHandler(said)
    try:
        is_done, words = _send(errand), ""
    except Exception as error:  # border: around a library that speaks to a hundred services
        is_done, words = False, f"{type(error).__name__}: {error}"
    finally:
        _log.removeHandler(said)
    words = words or ("" if is_done else said.words() or "the service did not take it")
    return Answer(key=errand.key, is_done=is_done, words=without_secrets(words, errand.url))


def _send(errand: Errand) -> bool:
    # nothing is kept on disk, where another user of the machine might find it
    asset = apprise.AppriseAsset(async_mode=False, storage_mode="memory", app_id="schedulerd")
    sender = apprise.Apprise(asset=asset)
    if not sender.add(errand.url):
        raise ValueError(f"Apprise knows no service that {shown_url(errand.url)} could mean")
    return bool(sender.notify(title=errand.title, body=errand.body, body_format=apprise.NotifyFormat.TEXT))


class _Listener(logging.Handler):
    """Keeps what Apprise says of what went wrong; how it went is all that it returns itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._said.append(record.getMessage())

    def words(self) -> str:
        """All that was said, on a line."""
        return "; ".join(dict.fromkeys(self._said))
