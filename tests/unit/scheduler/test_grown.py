"""Which attempts are read, and when."""

import math

from schedulerd.scheduler.grown import BEGUN_SECONDS, Grown


def test_what_was_noted_is_read_in_its_order_and_until_it_is_forgotten() -> None:
    grown = Grown()
    for folder in ("b", "a", "b"):
        grown.note(folder)

    assert grown.folders(0.0) == ["b", "a"]
    assert grown.patience(0.0) == 0.0

    grown.forget("b")
    assert grown.folders(0.0) == ["a"]


def test_one_that_has_begun_is_read_a_little_later() -> None:
    grown = Grown()

    assert grown.note_beginning("a", 0.0)

    assert grown.folders(0.0) == []
    assert grown.patience(0.0) == BEGUN_SECONDS
    assert grown.folders(BEGUN_SECONDS) == ["a"]
    assert grown.patience(BEGUN_SECONDS) == 0.0


def test_one_that_is_heard_of_again_is_read_at_once() -> None:
    grown = Grown()
    grown.note_beginning("a", 0.0)

    assert not grown.note_beginning("a", 0.0)

    assert grown.folders(0.0) == ["a"]
    grown.forget("a")
    assert grown.patience(0.0) == math.inf
