"""What the next due time costs, measured against croniter in the same run."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from typing import Final

import pytest
from croniter import croniter

from schedulerd.domain.due import next_due
from schedulerd.domain.schedules import Cron
from schedulerd.domain.zones import zone

HIGHEST_SHARE: Final = 1 / 5
ROUNDS: Final = 15
"""Both take turns, and the best of each counts: what else the machine does only ever makes a round slower."""

START: Final = datetime(2026, 3, 28, 12, tzinfo=UTC)

pytestmark = pytest.mark.skipif(sys.gettrace() is not None, reason="coverage slows down our half only")


@pytest.mark.parametrize(
    ("expression", "name", "steps"),
    [
        ("*/5 * * * *", "Europe/Berlin", 1_000),
        ("0 0 29 2 *", "UTC", 20),
        ("0 0 29 2 *", "Europe/Berlin", 20),
        ("30 2 * * *", "America/New_York", 200),
        ("0 */2 * * 1-5", "Asia/Seoul", 200),
    ],
)
def test_the_next_due_time_costs_at_most_a_fifth_of_croniters(expression: str, name: str, steps: int) -> None:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(seconds(iterated_by_croniter(expression, name, steps)))
        ours.append(seconds(asked_of_us(expression, name, steps)))

    assert min(ours) <= HIGHEST_SHARE * min(theirs), f"{min(theirs) / min(ours):.1f} times as fast"


def seconds(work: Callable[[], None]) -> float:
    """The processor time that it takes."""
    start = process_time()
    work()
    return process_time() - start


def iterated_by_croniter(expression: str, name: str, steps: int) -> Callable[[], None]:
    """As its users do it: an iterator, made beforehand, that is asked again and again."""
    iterator = croniter(expression, START.astimezone(zone(name)))

    def work() -> None:
        for _ in range(steps):
            iterator.get_next(datetime)

    return work


def asked_of_us(expression: str, name: str, steps: int) -> Callable[[], None]:
    """As a tick does it: each time from the schedule and a moment."""
    when = Cron(expression=expression, timezone=name)

    def work() -> None:
        at = START
        for _ in range(steps):
            due = next_due(when, after=at, first_seen=START, name="etl")
            assert due is not None
            at = due.at

    return work
