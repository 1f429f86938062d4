"""Tells people and monitors what happens: a thread of its own, whose work the core never waits for.

It finds what is to be told in the database, where it was written in the transaction of what it tells of.
"""

import logging
import threading
from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.messages import KEPT
from schedulerd.scheduler.chores import Chore
from schedulerd.scheduler.delivering import Deliverer
from schedulerd.scheduler.lookout import Lookout
from schedulerd.scheduler.pinging import Pinger
from schedulerd.scheduler.telling import Teller
from schedulerd.scheduler.troubles import Troubles
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
JOIN_LIMIT_S: Final = 5.0

_TIDY_SECONDS: Final = 3_600.0


class Herald:
    """`start` and `stop` may be called twice and in any order."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        troubles: Troubles,
        lookout: Lookout,
        teller: Teller,
        deliverer: Deliverer,
        pinger: Pinger,
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._teller: Final = teller
        self._deliverer: Final = deliverer
        self._pinger: Final = pinger
        self._chores: Final = (
            Chore("telling of trouble", troubles.look),
            Chore("looking for runs that are late or slow", lookout.look),
            Chore("making messages", lambda now, _: teller.look(now)),
            Chore("sending messages", deliverer.look),
            Chore("telling monitors", pinger.look),
            Chore("tidying", self._tidy),
        )
        self._tidied_at = float("-inf")
        self._stopping = threading.Event()
        self._control = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str:
        """Why something is not told; empty when everything is. May be asked from any thread."""
        bugs = (chore.trouble for chore in self._chores)
        return next(filter(None, (*bugs, self._teller.trouble, self._deliverer.trouble)), "")

    @property
    def monitor_trouble(self) -> str:
        """Which monitor is not told of runs, and why; empty when all are. May be asked from any thread."""
        return self._pinger.trouble

    def start(self) -> None:
        """Begin to tell, if not yet."""
        with self._control:
            if self._thread is None:
                self._stopping.clear()
                self._thread = threading.Thread(target=self._work, name="herald", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Tell no more; what is left waits for the next daemon."""
        with self._control:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._stopping.set()
            thread.join(JOIN_LIMIT_S)
            if thread.is_alive():
                log.error("herald_outlived_stop", extra={"limit_s": JOIN_LIMIT_S})

    def look(self) -> None:
        """One look at what is to be told. While the database is away, nothing is lost by it."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for chore in self._chores:
            chore.look(now, monotonic)

    def _tidy(self, now: datetime, monotonic: float) -> None:
        if monotonic - self._tidied_at < _TIDY_SECONDS:
            return
        with self._database.write() as tx:
            tx.messages.forget(now - KEPT)
            tx.notices.forget(now - KEPT)
        self._tidied_at = monotonic

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        for last in (
            Chore("sending messages", lambda when, _: self._deliverer.stop(when)),
            Chore("telling monitors", lambda when, _: self._pinger.stop(when)),
        ):
            last.look(now, monotonic)
