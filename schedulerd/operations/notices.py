"""What of notices people ask for: what was sent lately, and a test of an address."""

import threading
from collections.abc import Mapping, Sequence
from typing import Final

from schedulerd.clock import Clock
from schedulerd.courier.errands import Answer, Errand
from schedulerd.courier.journeys import Journey
from schedulerd.domain.messages import Message
from schedulerd.store.database import Database

MOST_LISTED: Final = 50
_LOOK_SECONDS: Final = 0.05


def sent_lately(database: Database) -> list[Message]:
    """The newest messages, whatever has become of them, the newest first. Raises `StoreUnavailable`."""
    with database.read() as tx:
        return tx.messages.lately(MOST_LISTED)


def try_addresses(
    urls: Sequence[str], environ: Mapping[str, str], *, host: str, clock: Clock
) -> Sequence[Answer]:
    """Send a test message to each, and wait for what comes of it; the answers are in the order of the addresses."""
    errands = [
        Errand(
            key=str(number),
            url=url,
            strand=str(number),
            title=f"[schedulerd@{host}] test",
            body="This is a test: notices of schedulerd arrive here.",
        )
        for number, url in enumerate(urls)
    ]
    journey, pause = Journey(errands, environ, now=clock.monotonic()), threading.Event()
    try:
        while (answers := journey.look(clock.monotonic())) is None:
            pause.wait(_LOOK_SECONDS)
    except BaseException:
        journey.kill()
        raise
    return answers
