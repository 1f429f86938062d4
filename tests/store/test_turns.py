"""Threads that write take turns, in the order in which they came."""

from functools import partial
from threading import Thread

from schedulerd.store.turns import Turns
from tests.waiting import eventually


def test_whoever_waits_longest_is_next() -> None:
    turns, came = Turns(), list[int]()

    def write(number: int) -> None:
        assert turns.take(seconds=10)
        came.append(number)
        turns.give_on()

    assert turns.take(seconds=0)
    threads = [Thread(target=write, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        eventually(partial(_waits, turns, count))
    turns.give_on()
    for thread in threads:
        thread.join(10)

    assert came == [0, 1, 2, 3, 4]


def test_who_waited_in_vain_keeps_nobody_from_the_next_turn() -> None:
    turns = Turns()
    assert turns.take(seconds=0)

    assert not turns.take(seconds=0.01)

    turns.give_on()
    assert turns.take(seconds=0)


def _waits(turns: Turns, count: int) -> bool:
    return len(turns._waiting) == count
