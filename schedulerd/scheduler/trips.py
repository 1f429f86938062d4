"""Couriers on their way: at most one to a place, each with what it carries, until what came of that is recorded."""

import logging
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from schedulerd.courier.errands import Answer, Errand

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_UNDER_WAY: Final = 8


class Journey(Protocol):
    """A courier on its way."""

    def look(self, now: float) -> list[Answer] | None:
        """The answers, once there are; None before."""

    def stop(self) -> list[Answer]:
        """The answers that there are; it goes no further."""


SendOff = Callable[[Sequence[Errand], float], Journey]
"""Sends a courier off at a monotonic time. Raises `OSError`."""


@dataclass(kw_only=True, slots=True)
class _Trip(Generic[T]):
    carried: Sequence[tuple[T, Errand]]
    journey: Journey
    answers: list[Answer] | None = None


class Trips(Generic[T]):
    """What is carried is a `T`, with the errand that is made of it."""

    def __init__(self, send_off: SendOff) -> None:
        self._send_off: Final = send_off
        self._trips: dict[str, _Trip[T]] = {}

    @property
    def places(self) -> Set[str]:
        """Where couriers are on their way to."""
        return self._trips.keys()

    def has_room_for(self, place: str) -> bool:
        """May another be sent off, to this place?"""
        return place not in self._trips and len(self._trips) < MOST_UNDER_WAY

    def go(self, place: str, carried: Sequence[tuple[T, Errand]], monotonic: float) -> None:
        """Send one off."""
        try:
            journey = self._send_off([errand for _, errand in carried], monotonic)
        except OSError as error:  # the machine gives no process now; it is tried again at the next look
            log.warning("courier_not_started", extra={"reason": str(error)})
            return
        self._trips[place] = _Trip(carried=carried, journey=journey)

    def come_back(self, monotonic: float) -> Iterator[tuple[str, list[tuple[T, Answer]]]]:
        """Each that is back: its place, and what came of what it carried, but for what was not tried.

        It is forgotten when the next is asked for. Where recording it raises, the same is told by the next look.
        """
        for place, trip in list(self._trips.items()):
            if trip.answers is None:
                trip.answers = trip.journey.look(monotonic)
            if trip.answers is None:
                continue
            answers = {answer.key: answer for answer in trip.answers}
            yield place, [(one, answers[errand.key]) for one, errand in trip.carried if errand.key in answers]
            del self._trips[place]

    def stop(self) -> None:
        """Break off all, so that all are back."""
        for trip in self._trips.values():
            trip.answers = trip.answers if trip.answers is not None else trip.journey.stop()
