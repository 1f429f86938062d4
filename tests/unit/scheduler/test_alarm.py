"""The alarm clock, with the machine's time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

import pytest

from schedulerd.clock import SystemClock
from schedulerd.scheduler.alarm import HORIZON, Alarm

LONG = 30.0
CLOCK = SystemClock()


class Rung:
    """When it rang."""

    def __init__(self) -> None:
        self._at: SimpleQueue[datetime] = SimpleQueue()
        self.alarm = Alarm(lambda: self._at.put(CLOCK.now()), CLOCK)

    def wait(self, seconds: float = LONG) -> datetime:
        return self._at.get(timeout=seconds)

    def is_quiet_for(self, seconds: float) -> bool:
        try:
            self.wait(seconds)
        except Empty:
            return True
        return False


@pytest.fixture
def rung() -> Iterator[Rung]:
    rung = Rung()
    rung.alarm.start()
    yield rung
    rung.alarm.stop()


def test_it_rings_at_the_moment_it_was_set_for_and_not_before(rung: Rung) -> None:
    at = CLOCK.now() + timedelta(seconds=0.2)

    rung.alarm.set(at)

    assert rung.wait() >= at


def test_it_rings_at_once_for_what_is_past(rung: Rung) -> None:
    rung.alarm.set(CLOCK.now() - timedelta(hours=1))

    rung.wait()


def test_the_earlier_of_two_moments_counts(rung: Rung) -> None:
    soon = CLOCK.now() + timedelta(seconds=0.2)
    late = soon + HORIZON / 2

    rung.alarm.set(late)
    rung.alarm.set(soon)
    rung.alarm.set(late)

    assert soon <= rung.wait() < late


def test_it_is_set_anew_after_it_rang(rung: Rung) -> None:
    for _ in range(2):
        at = CLOCK.now() + timedelta(seconds=0.05)
        rung.alarm.set(at)

        assert rung.wait() >= at


def test_what_is_further_away_is_for_later_to_set(rung: Rung) -> None:
    rung.alarm.set(CLOCK.now() + HORIZON * 10)
    rung.alarm.set(None)

    assert rung.is_quiet_for(0.2)
