"""Has messages sent: by couriers, at most one on its way to an address, and again where that failed.

A message is sent at least once. One that a service took just before the daemon was killed is sent again by the next: the
service and the database cannot agree on it in one step, and a notice that comes twice is better than none.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.messages import Message, MessageState, next_try
from schedulerd.domain.shown_urls import fingerprint
from schedulerd.errors import BadDefinition
from schedulerd.scheduler.telling import Receiver
from schedulerd.scheduler.trips import SendOff, Trips
from schedulerd.store.database import Database
from schedulerd.store.lookout import Lookout

log = logging.getLogger(__name__)

_READ_TOGETHER: Final = 500
_TOGETHER: Final = 10
_TROUBLED_AFTER: Final = 3  # so many tries that failed


class Deliverer:
    """Looks at the messages that are not sent yet."""

    def __init__(self, database: Database, receivers: Sequence[Receiver], send_off: SendOff) -> None:
        self._database: Final = database
        self._receivers: Final = receivers
        self._trips: Final[Trips[Message]] = Trips(send_off)
        self._failing: dict[str, str] = {}
        self._lookout: Final = Lookout(database.mark)

    @property
    def trouble(self) -> str:
        """Which address takes no messages, and why; empty when all do."""
        return next(iter(self._failing.values()), "")

    def look(self, now: datetime, monotonic: float) -> None:
        """See to those on their way, then send off others. Raises `StoreUnavailable`: what is known is kept."""
        self._come_back(now, monotonic)
        if not self._lookout.begin():
            return
        with self._database.read() as tx:
            unsent = tx.messages.unsent(_READ_TOGETHER)
        self._lookout.end(found=bool(unsent))
        self._failing = {
            one.target: f"messages to {one.shown} are not taken: {one.answer}"
            for one in reversed(unsent)
            if one.tries >= _TROUBLED_AFTER
        }
        by_target = sorted(unsent, key=lambda one: one.target)
        for target, group in groupby(by_target, key=lambda one: one.target):
            if self._trips.has_room_for(target):
                self._go(target, list(group)[:_TOGETHER], now, monotonic)

    def stop(self, now: datetime) -> None:
        """Break off what is on its way. Raises `StoreUnavailable`: what was sent is sent again by the next daemon."""
        self._trips.stop()
        self._come_back(now, 0.0)

    def _go(self, target: str, messages: Sequence[Message], now: datetime, monotonic: float) -> None:
        first = messages[0]  # the others wait behind it, so that they come in their order
        if first.next_at is not None and first.next_at > now:
            return
        url = self._urls().get(target)
        if url is None:
            gone = Answer(key=str(first.key), is_done=False, words="no rule of the settings sends there now")
            self._record([replace(first, next_at=None, state=MessageState.GIVEN_UP, answer=gone.words)], now)
            return
        carried = [
            (one, Errand(key=str(one.key), url=url, strand=target, title=one.title, body=one.body))
            for one in messages
        ]
        self._trips.go(target, carried, monotonic)

    def _urls(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for receiver in self._receivers:
            try:
                found |= {fingerprint(url): url for url in receiver.addresses()}
            except BadDefinition:
                continue  # the teller says so
        return found

    def _come_back(self, now: datetime, monotonic: float) -> None:
        for _, answered in self._trips.come_back(monotonic):
            self._record([_after(one, answer, now=now) for one, answer in answered], now)

    def _record(self, messages: Iterable[Message], now: datetime) -> None:
        done = [one if one.next_at is not None else replace(one, done_at=now) for one in messages]
        with self._database.write() as tx:
            for one in done:
                tx.messages.note(one)
        for one in done:
            _say(one)


def _after(message: Message, answer: Answer, *, now: datetime) -> Message:
    """The message after a try."""
    tried = replace(message, tries=message.tries + 1, answer=answer.words)
    if answer.is_done:
        return replace(tried, state=MessageState.SENT, next_at=None)
    again = next_try(tried.tries, since=message.made_at, now=now)
    return replace(tried, next_at=again, state=MessageState.WAITING if again else MessageState.GIVEN_UP)


def _say(message: Message) -> None:
    facts = {"rule": message.rule, "to": message.shown, "title": message.title}
    if message.state is MessageState.SENT:
        log.info("message_sent", extra=facts | {"tries": message.tries})
    elif message.state is MessageState.GIVEN_UP:
        log.error("message_given_up", extra=facts | {"tries": message.tries, "reason": message.answer})
    elif message.tries == 1:
        log.warning("message_not_sent", extra=facts | {"reason": message.answer, "next": message.next_at})
