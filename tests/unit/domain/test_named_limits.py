"""Limits by time: slots come back as time passes, never more than there are."""

from datetime import timedelta

import pytest

from schedulerd.domain.named_limits import NamedLimit, check_limit
from schedulerd.errors import BadParameters
from tests.builders import A_SECOND, NOW

API = NamedLimit(name="api", slots=4, per_second=2.0)


def test_as_many_as_there_are_slots_are_had_at_once_and_then_as_time_gives_them_back() -> None:
    limit = API.with_taken(4, now=NOW)

    assert limit is not None
    assert limit.with_taken(1, now=NOW) is None
    assert limit.with_taken(2, now=NOW + timedelta(seconds=0.9)) is None
    later = limit.with_taken(2, now=NOW + A_SECOND)
    assert later is not None
    assert later.taken(now=NOW + A_SECOND) == 4.0
    assert later.taken(now=NOW + 60 * A_SECOND) == 0.0


def test_a_clock_that_goes_back_gives_nothing_back_and_takes_nothing() -> None:
    limit = API.with_taken(3, now=NOW)

    assert limit is not None
    assert limit.taken(now=NOW - 60 * A_SECOND) == 3.0


def test_a_limit_that_does_not_count_by_time_says_nothing_of_what_is_taken() -> None:
    assert NamedLimit(name="db", slots=1).taken(now=NOW) == 0.0
    assert not NamedLimit(name="db", slots=1).is_rate


@pytest.mark.parametrize(("slots", "rate"), [(-1, None), (1_000_001, None), (1, 0.0), (1, -1.0), (1, 1e9)])
def test_what_cannot_be_a_limit_is_refused(slots: int, rate: float | None) -> None:
    with pytest.raises(BadParameters):
        check_limit(slots, rate)
