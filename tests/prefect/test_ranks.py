"""Nothing is left out: each name of the ranks that are meant is used by a flow, and each rank is shown to fail as well.

Every case is one in a plain Python process and one in a run of the daemon, so that a rank with a case has both.
"""

import re
from typing import Final

import pytest

from schedulerd.authoring.prefect_names import Name, names
from tests.prefect import test_asking, test_function_style, test_graph_style
from tests.prefect.conftest import FILES

PREFECT_3: Final = {*range(1, 14), *range(17, 28), 30, *range(31, 38)}
PREFECT_1: Final = {*range(1, 9), *range(12, 23), 24, *range(26, 29)}
IN_TESTS: Final = {
    (3, 33): "a test is run by it, and no flow: test_33_a_harness_has_the_history_of_what_ran_in_it",
    (3, 34): "somebody has to decide: test_a_run_of_the_daemon_waits_until_it_is_approved and the others",
    (1, 6): "there is no run at all: test_6_a_parameter_that_is_missing_is_refused_before_there_is_a_run",
}
AS_A_CALL: Final = {"__call__"}

SHOWN: Final[dict[int, list[tuple[int, str, str]]]] = {
    3: [
        *((rank, flow, state) for rank, flow, state, _ in test_function_style.CASES),
        *((rank, flow, state) for rank, flow, state, *_ in test_asking.OF_PREFECT_3),
    ],
    1: [
        *((rank, flow, state) for rank, flow, state, _ in test_graph_style.CASES),
        *((rank, flow, state) for rank, flow, state, *_ in test_asking.OF_PREFECT_1),
    ],
}
RANKS: Final = [
    *((3, rank) for rank in sorted(PREFECT_3)),
    *((1, rank) for rank in sorted(PREFECT_1)),
]


def those_of(generation: int, rank: int) -> list[Name]:
    """The names of a rank that are there."""
    return [one for one in names() if (one.generation, one.rank) == (generation, rank) and one.is_there]


def is_failure(flow: str, state: str) -> bool:
    """Does the case show what happens where the name is used wrongly? Then its flow fails, or says so by its name."""
    return state != "completed" or flow.endswith("-fails")


@pytest.mark.parametrize(("generation", "rank"), [one for one in RANKS if one not in IN_TESTS])
def test_a_rank_is_shown_in_use_and_where_it_fails(generation: int, rank: int) -> None:
    cases = [(flow, state) for number, flow, state in SHOWN[generation] if number == rank]

    assert any(is_failure(flow, state) for flow, state in cases)
    if those_of(generation, rank):
        assert not all(is_failure(flow, state) for flow, state in cases)


@pytest.mark.parametrize(("generation", "rank"), [one for one in RANKS if one != (3, 33)])
def test_each_name_of_a_rank_is_written_in_a_flow(generation: int, rank: int) -> None:
    code = "\n".join(file.read_text() for file in FILES)
    words = {one.prefect.rpartition(".")[2] for one in those_of(generation, rank)} - AS_A_CALL

    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", code)] == []
