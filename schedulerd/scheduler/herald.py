"""Tells people and monitors what happens: a thread of its own, whose work the core never waits for.

It finds what is to be told in the database, where it was written in the transaction of what it tells of.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.messages import KEPT
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.delivering import Deliverer
from schedulerd.scheduler.lookout import Lookout
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
    ) -> None:
        self._troubles: Final = troubles
        self._lookout: Final = lookout
        self._database: Final = database
        self._clock: Final = clock
        self._teller: Final = teller
        self._deliverer: Final = deliverer
        self._tidied_at = float("-inf")
        self._stopping = threading.Event()
        self._control = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str:
        """Why something is not told; empty when everything is. May be asked from any thread."""
        return self._teller.trouble or self._deliverer.trouble

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
        """One look at what is to be told. Raises `StoreUnavailable`: nothing is lost by it."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._troubles.look(now, monotonic)
        self._lookout.look(now, monotonic)
        self._teller.look(now)
        self._deliverer.look(now, monotonic)
        if monotonic - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = monotonic
            self._tidy(now - KEPT)

    def _tidy(self, before: datetime) -> None:
        with self._database.write() as tx:
            tx.messages.forget(before)
            tx.notices.forget(before)

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self._try(self.look)
        self._try(lambda: self._deliverer.stop(self._clock.now()))

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreUnavailable:
            pass  # the core says so; what is to be told waits
        except Exception:  # border: around one look
            log.exception("herald_failed")
