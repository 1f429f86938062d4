"""Has monitors outside told of runs: by couriers, in the order of each schedule, and again where that failed.

A ping is sent at least once: one that a monitor took just before the daemon was killed is sent again by the next.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.heartbeats import Ping
from schedulerd.domain.ids import ScheduleKey
from schedulerd.domain.messages import PATIENCE, next_try
from schedulerd.domain.shown_urls import shown_url
from schedulerd.errors import BadDefinition
from schedulerd.scheduler.trips import SendOff, Trips
from schedulerd.store.database import Database
from schedulerd.store.lookout import Lookout

log = logging.getLogger(__name__)

MOST_TO_THE_DEAD: Final = 4
"""Of couriers on their way, to monitors that did not answer last: those that do are not to wait for them."""

TOGETHER: Final = 20
"""So many pings of a schedule are told by one courier."""

_MOST_SCHEDULES: Final = 50
_TROUBLED_AFTER: Final = 3  # so many tries that failed

_Strand = tuple[ScheduleKey, list[tuple[Ping, str]]]
"""A schedule, and its pings that wait, with their URLs."""


class Pinger:
    """A courier for each monitor, so that one that hangs delays no other. `fill` puts the variables into a URL, and
    raises `BadDefinition` for one that is not set."""

    def __init__(self, database: Database, fill: Callable[[str], str], send_off: SendOff) -> None:
        self._database: Final = database
        self._fill: Final = fill
        self._trips: Final[Trips[Ping]] = Trips(send_off)
        self._dead: set[str] = set()
        self._failing: dict[ScheduleKey, str] = {}
        self._given_up: dict[ScheduleKey, str] = {}
        self._lookout: Final = Lookout(database.mark)

    @property
    def trouble(self) -> str:
        """Which schedule's monitor does not answer, and why; empty when all do. May be asked from any thread."""
        told = (*self._failing.values(), *self._given_up.values())
        return "" if not told else told[0] if len(told) == 1 else f"{told[0]}; and {len(told) - 1} more"

    def look(self, now: datetime, monotonic: float) -> None:
        """See to those on their way, then send off others. Raises `StoreUnavailable`: what is known is kept."""
        self._come_back(now, monotonic)
        if not self._lookout.begin():
            return
        with self._database.read() as tx:
            waiting = tx.pings.waiting(TOGETHER)
        self._lookout.end(found=bool(waiting))
        self._failing = {
            one.schedule_key: f"the monitor of schedule {one.schedule!r} is not told: {one.answer}"
            for one in waiting
            if one.tries >= _TROUBLED_AFTER
        }
        for place, strands in self._by_place(waiting, now).items():
            if self._has_room(place):
                self._go(place, strands[:_MOST_SCHEDULES], monotonic)

    def stop(self, now: datetime) -> None:
        """Break off what is on its way. Raises `StoreUnavailable`: what was sent is sent again by the next daemon."""
        self._trips.stop()
        self._come_back(now, 0.0)

    def _by_place(self, waiting: Sequence[Ping], now: datetime) -> dict[str, list[_Strand]]:
        """The strands whose time has come, by where they go first; those of a schedule stay in their order."""
        places: dict[str, list[_Strand]] = {}
        for schedule, group in groupby(
            sorted(waiting, key=lambda one: (one.schedule_key, one.key)), key=lambda one: one.schedule_key
        ):
            pings = list(group)
            if pings[0].next_at <= now and (filled := self._filled(pings, now)):
                places.setdefault(shown_url(filled[0][1]), []).append((schedule, filled))
        return places

    def _filled(self, pings: Sequence[Ping], now: datetime) -> list[tuple[Ping, str]]:
        """The first of them that can be told, each with its whole URL, and all to one place."""
        filled: list[tuple[Ping, str]] = []
        for ping in pings:
            if ping.url is None:  # its schedule has no heartbeat for it any more
                with self._database.write() as tx:
                    tx.pings.done([ping.key])
                continue
            try:
                url = self._fill(ping.url)
            except BadDefinition as error:
                if not filled:
                    self._record([(ping, Answer(key=str(ping.key), is_done=False, words=str(error)))], now)
                return filled
            if filled and shown_url(filled[0][1]) != shown_url(url):
                return filled
            filled.append((ping, url))
        return filled

    def _has_room(self, place: str) -> bool:
        if not self._trips.has_room_for(place):
            return False
        return place not in self._dead or len(self._dead & self._trips.places) < MOST_TO_THE_DEAD

    def _go(self, place: str, strands: Sequence[_Strand], monotonic: float) -> None:
        carried = [
            (ping, Errand(key=str(ping.key), url=url, strand=str(schedule)))
            for schedule, filled in strands
            for ping, url in filled
        ]
        self._trips.go(place, carried, monotonic)

    def _come_back(self, now: datetime, monotonic: float) -> None:
        for place, answered in self._trips.come_back(monotonic):
            self._record(answered, now)
            if any(answer.is_done for _, answer in answered):
                self._dead.discard(place)
            else:
                self._dead.add(place)

    def _record(self, answered: Sequence[tuple[Ping, Answer]], now: datetime) -> None:
        told = [ping for ping, answer in answered if answer.is_done]
        failed = [_after(ping, answer, now=now) for ping, answer in answered if not answer.is_done]
        given_up = [ping for ping in failed if now - ping.at >= PATIENCE]
        with self._database.write() as tx:
            tx.pings.done([ping.key for ping in (*told, *given_up)])
            for ping in failed:
                if ping not in given_up:
                    tx.pings.note(ping)
        self._note(told, given_up)
        for ping in failed:
            _say(ping, is_given_up=ping in given_up)

    def _note(self, told: Sequence[Ping], given_up: Sequence[Ping]) -> None:
        """What was given up is trouble until the monitor is told something again."""
        well = {ping.schedule_key for ping in told}
        lost = {
            ping.schedule_key: f"the monitor of schedule {ping.schedule!r} was not told of {ping.run}: {ping.answer}"
            for ping in given_up
        }
        kept = {key: words for key, words in self._given_up.items() if key not in well}
        self._given_up = kept | lost  # another one: it may be read meanwhile


def _after(ping: Ping, answer: Answer, *, now: datetime) -> Ping:
    """The ping after a try that failed."""
    tries = ping.tries + 1
    again = next_try(tries, since=ping.at, now=now) or now
    return replace(ping, tries=tries, next_at=again, answer=answer.words)


def _say(ping: Ping, *, is_given_up: bool) -> None:
    facts = {"schedule": ping.schedule, "run": ping.run, "beat": ping.beat.value, "reason": ping.answer}
    if is_given_up:
        log.error("ping_given_up", extra=facts | {"tries": ping.tries})
    elif ping.tries == 1:
        log.warning("ping_not_sent", extra=facts | {"next": ping.next_at})
