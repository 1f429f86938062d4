"""Trouble of the daemon itself, on its way to the outbox: when the database is away, it is told without one.

What is told so is in no database: a daemon that is killed then tells it anew, should there be trouble still.
"""

import logging
import queue
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final
from uuid import uuid4

from schedulerd.clock import Clock
from schedulerd.courier.errands import Errand
from schedulerd.domain.health import TroubleKind
from schedulerd.domain.notice_texts import MOST_TOLD, Told, message
from schedulerd.domain.notices import Happening, NoticeKind, notice_of
from schedulerd.domain.shown_urls import shown_url
from schedulerd.errors import BadDefinition, StoreUnavailable
from schedulerd.scheduler.telling import Receiver
from schedulerd.scheduler.trips import Journey, SendOff
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 60.0
_UNTOLD: Final = frozenset(
    {
        TroubleKind.NOTICES,  # cannot be told by notices
        TroubleKind.DRAIN,  # somebody wanted it so
    }
)


class Troubles:
    """`heard` may be called from any thread, and never waits."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        receivers: Sequence[Receiver],
        send_off: SendOff,
        *,
        host: str,
        zone: tzinfo,
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._receivers: Final = [one for one in receivers if NoticeKind.TROUBLE in one.rule.on]
        self._send_off: Final = send_off
        self._host: Final = host
        self._zone: Final = zone
        self._news: Final[queue.SimpleQueue[Happening]] = queue.SimpleQueue()
        self._unsaved: list[Happening] = []
        self._told_without: dict[str, int] = {}
        self._journeys: dict[str, tuple[int, Journey]] = {}
        self._again_at: dict[str, float] = {}

    def heard(self, kind: TroubleKind, words: str) -> None:
        """There is trouble, or it is over."""
        if kind not in _UNTOLD and self._receivers:
            now = self._clock.now()
            self._news.put(Happening(kind=NoticeKind.TROUBLE, at=now, subject=kind.value, words=words))

    def look(self, now: datetime, monotonic: float) -> None:
        """Have what was heard told: by the outbox, or while there is no database, at once."""
        while not self._news.empty():
            self._unsaved.append(self._news.get())
        self._see_to_journeys(monotonic)
        if not self._unsaved:
            return
        try:
            self._save()
        except StoreUnavailable:
            for receiver in self._receivers:
                if self._unsaved[0].at + receiver.rule.group <= now:
                    self._tell_without(receiver, monotonic)

    def _save(self) -> None:
        """Write down what nobody was told without the database."""
        told = min((self._told_without.get(one.rule.name, 0) for one in self._receivers), default=0)
        with self._database.write() as tx:
            tx.notices.tell(self._unsaved[told:])
        self._unsaved.clear()
        self._told_without.clear()

    def _tell_without(self, receiver: Receiver, monotonic: float) -> None:
        name = receiver.rule.name
        happened = self._unsaved[self._told_without.get(name, 0) :]
        if not happened or name in self._journeys or self._again_at.get(name, 0.0) > monotonic:
            return
        told = [Told(notice=notice_of(one)) for one in happened[:MOST_TOLD]]
        words = message(told, {NoticeKind.TROUBLE: len(happened)}, host=self._host, zone=self._zone)
        try:
            errands = [
                Errand(key=uuid4().hex, url=url, strand=shown_url(url), title=words.title, body=words.body)
                for url in receiver.addresses()
            ]
            self._journeys[name] = (len(self._unsaved), self._send_off(errands, monotonic))
        except (BadDefinition, OSError) as error:
            log.warning("trouble_not_told", extra={"rule": name, "reason": str(error)})
            self._again_at[name] = monotonic + _AGAIN_SECONDS

    def _see_to_journeys(self, monotonic: float) -> None:
        for name, (count, journey) in list(self._journeys.items()):
            answers = journey.look(monotonic)
            if answers is None:
                continue
            del self._journeys[name]
            if any(answer.is_done for answer in answers):
                self._told_without[name] = count
                log.info("trouble_told", extra={"rule": name})
            else:
                self._again_at[name] = monotonic + _AGAIN_SECONDS
