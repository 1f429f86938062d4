"""What becomes of runs that are due while another of their schedule goes on."""

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.overlap import DueRun, Line, Queued, decide
from schedulerd.domain.schedules import Overlap


def due(*numbers: int, caught_up: tuple[int, ...] = ()) -> list[DueRun]:
    """Runs of `etl` with these numbers, some of which make up for missed times."""
    return [
        DueRun(key=RunKey(number), selector=f"etl#{number}", caught_up=number in caught_up)
        for number in numbers
    ]


def words(line: Line, runs: list[DueRun]) -> dict[int, str]:
    """What is decided, by number: `queued`, or the reason of a skip and its message."""
    return {
        one.run: "queued" if isinstance(one, Queued) else f"{one.reason}: {one.message}"
        for one in decide(line, runs)
    }


CASES = {
    "skip": (Overlap.SKIP, {2: "overlap: etl#1 was running", 3: "overlap: etl#1 was running"}),
    "queue": (Overlap.QUEUE, {2: "queued", 3: "queue-full: 1 waited for etl#1 already"}),
    "replace": (Overlap.REPLACE, {2: "replaced: replaced by etl#3", 3: "queued"}),
    "allow": (Overlap.ALLOW, {}),
}


@pytest.mark.parametrize(("overlap", "wanted"), CASES.values(), ids=CASES)
def test_of_two_due_times_beside_a_run_each_policy_makes_something_else(
    overlap: Overlap, wanted: dict[int, str]
) -> None:
    line = Line(overlap=overlap, queue_limit=1, active="etl#1")

    assert words(line, due(2, 3)) == wanted


@pytest.mark.parametrize("overlap", Overlap)
def test_what_makes_up_for_missed_times_waits_whatever_the_policy(overlap: Overlap) -> None:
    line = Line(overlap=overlap, queue_limit=0, active="etl#1")

    decided = words(line, due(2, 3, 4, caught_up=(2, 3)))

    assert (decided[2], decided[3]) == ("queued", "queued")


def test_a_queue_counts_those_on_time_only() -> None:
    line = Line(overlap=Overlap.QUEUE, queue_limit=2, active="etl#1", queued=1)

    assert words(line, due(8, 9, 10, caught_up=(8,))) == {
        8: "queued",
        9: "queued",
        10: "queue-full: 2 waited for etl#1 already",
    }


def test_a_queue_without_room_takes_nobody() -> None:
    line = Line(overlap=Overlap.QUEUE, queue_limit=0, active="etl#1")

    assert words(line, due(2)) == {2: "queue-full: 0 waited for etl#1 already"}
