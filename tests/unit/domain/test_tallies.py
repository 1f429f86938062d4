"""Lengths of runs in classes, and what the classes come to."""

import random
from datetime import timedelta
from statistics import quantiles

import pytest

from schedulerd.domain.states import RunState
from schedulerd.domain.tallies import NEVER_RAN, Figures, Tally, figures, length_class, milliseconds

A_MILLISECOND = timedelta(milliseconds=1)


def of(*lengths_ms: int, state: RunState = RunState.COMPLETED) -> list[Tally]:
    """A tally for each run."""
    return [
        Tally(state=state, length=length_class(one * A_MILLISECOND), count=1, total_ms=one)
        for one in lengths_ms
    ]


@pytest.mark.parametrize(
    ("length", "number"),
    [(None, NEVER_RAN), (timedelta(-1), 0), (timedelta(), 0), (A_MILLISECOND, 1), (2 * A_MILLISECOND, 3)],
)
def test_a_length_has_a_class(length: timedelta | None, number: int) -> None:
    assert length_class(length) == number


def test_longer_runs_are_in_no_lower_class_and_lengths_of_a_class_are_near_each_other() -> None:
    classes: dict[int, list[int]] = {}
    for whole in range(1, 5_000):
        classes.setdefault(length_class(whole * A_MILLISECOND), []).append(whole)

    assert list(classes) == sorted(classes)
    assert all(members[-1] <= members[0] * 1.42 for members in classes.values())


def test_less_than_no_time_is_none() -> None:
    assert (milliseconds(None), milliseconds(timedelta(-1)), milliseconds(timedelta(1))) == (0, 0, 86_400_000)


def test_percentiles_are_about_those_of_the_lengths_themselves() -> None:
    chance = random.Random(3)
    lengths = [int(chance.lognormvariate(9, 0.8)) for _ in range(5_000)]
    cuts = quantiles(lengths, n=20)

    found = figures(of(*lengths))

    assert found.p50_ms == pytest.approx(cuts[9], rel=0.21)
    assert found.p95_ms == pytest.approx(cuts[18], rel=0.21)
    assert found.longest_ms == pytest.approx(max(lengths), rel=0.3)
    assert found.mean_ms == pytest.approx(sum(lengths) / len(lengths), abs=1)


def test_only_runs_that_completed_have_a_length_that_is_told() -> None:
    failed = of(60_000, state=RunState.FAILED)
    never = [Tally(state=RunState.COMPLETED, length=NEVER_RAN, count=1, total_ms=0)]

    assert figures(failed).p50_ms is None
    assert figures([*failed, *of(7), *never]).p95_ms == 7


def test_shares_are_of_those_that_ran_to_an_end() -> None:
    skipped = [Tally(state=RunState.SKIPPED, length=NEVER_RAN, count=5, total_ms=0)]
    found = figures([*of(1, 2, 3), *of(1, state=RunState.FAILED), *skipped])

    assert (found.total, found.bad, found.ok_share) == (9, 1, 0.75)
    assert figures(skipped).ok_share is None
    assert figures([]) == Figures(counts={})
