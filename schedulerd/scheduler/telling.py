"""Makes messages of notices: what a rule has waiting becomes one, when its time has come."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from schedulerd.domain.messages import NewMessage
from schedulerd.domain.notice_batches import AN_HOUR, next_message
from schedulerd.domain.notice_texts import MOST_TOLD, MOST_WITH_LOG, Told, Words, message
from schedulerd.domain.notices import Notice, NoticeKind, NoticeRule
from schedulerd.domain.shown_urls import fingerprint, shown_url
from schedulerd.errors import BadDefinition, NotFound
from schedulerd.store.database import Database
from schedulerd.store.notices import Waiting
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_WITH_LOG: Final = frozenset({NoticeKind.FAILED, NoticeKind.TIMED_OUT, NoticeKind.CRASHED, NoticeKind.SLOW})


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """A rule, and where it sends to: asked anew each time, and raises `BadDefinition` where that cannot be told now."""

    rule: NoticeRule
    addresses: Callable[[], Sequence[str]]


class Teller:
    """Looks at the outbox for each rule. `host` stands in every title; times are told in `zone`."""

    def __init__(self, database: Database, receivers: Sequence[Receiver], *, host: str, zone: tzinfo) -> None:
        self._database: Final = database
        self._receivers: Final = receivers
        self._host: Final = host
        self._zone: Final = zone
        self._wrong: dict[str, str] = {}

    @property
    def trouble(self) -> str:
        """What is wrong with the addresses of a rule; empty when nothing is."""
        return next(iter(self._wrong.values()), "")

    def look(self, now: datetime) -> None:
        """Make the messages whose time has come. Raises `StoreUnavailable`: then all still waits."""
        for receiver in self._receivers:
            with self._database.read() as tx:
                waiting = tx.notices.waiting(receiver.rule.name)
                made = (
                    tx.messages.made(receiver.rule.name, since=min(waiting.oldest, now) - AN_HOUR)
                    if waiting
                    else []
                )
            if waiting is not None:
                self._tell(receiver, waiting, made, now)

    def _tell(self, receiver: Receiver, waiting: Waiting, made: Sequence[datetime], now: datetime) -> None:
        rule = receiver.rule
        moment = next_message(rule, oldest=waiting.oldest, made=made, now=now)
        if moment.at > now:
            return
        urls = self._urls(receiver)
        if not urls:
            return
        with self._database.read() as tx:
            words = self._words(tx, rule, waiting, held=moment.held)
        new = [
            NewMessage(
                rule=rule.name,
                target=fingerprint(url),
                shown=shown_url(url),
                made_at=now,
                title=words.title,
                body=words.body,
            )
            for url in urls
        ]
        with self._database.write() as tx:
            tx.messages.add(new)
            tx.notices.told(rule.name, waiting.last, now=now)

    def _urls(self, receiver: Receiver) -> Sequence[str]:
        name = receiver.rule.name
        try:
            urls = receiver.addresses()
        except BadDefinition as error:
            if name not in self._wrong:
                log.warning("notices_have_no_address", extra={"rule": name, "reason": str(error)})
            self._wrong[name] = f"notices of {name} cannot be sent: {error}"
            return []
        self._wrong.pop(name, None)
        return urls

    def _words(self, tx: Transaction, rule: NoticeRule, waiting: Waiting, *, held: bool) -> Words:
        first = [one for one in tx.notices.first(rule.name, MOST_TOLD) if (one.key or 0) <= waiting.last]
        told = [
            _told(tx, one, rule.log_lines if place < MOST_WITH_LOG else 0) for place, one in enumerate(first)
        ]
        return message(told, waiting.counts, host=self._host, zone=self._zone, held=held)


def _told(tx: Transaction, notice: Notice, log_lines: int) -> Told:
    if notice.run is None:
        return Told(notice=notice)
    try:
        run = tx.runs.by_key(notice.run)
    except NotFound:
        return Told(notice=notice)
    lines = []
    if log_lines and notice.kind in _WITH_LOG:
        lines = tx.logs.lines(notice.run, limit=log_lines, tail=True)
    return Told(notice=notice, run=run, lines=tuple(one.line.message for one in lines))
