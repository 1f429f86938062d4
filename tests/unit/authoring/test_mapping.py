"""`.map()`: a task for each item."""

from typing import Any

import pytest

from schedulerd import (
    flow,
    quote,
    task,
    unmapped,
)
from schedulerd.authoring.refusals import (
    MappingLengthMismatch,
    MappingMissingIterable,
)
from tests.unit.authoring.samples import doubled
from tests.unit.authoring.tape import Tape, run


class TestMapping:
    def test_each_item_is_a_task_run_with_its_index(self) -> None:
        @flow
        def maps() -> list[int]:
            return list(doubled.map([1, 2, 3]).result())

        tape = Tape()

        assert run(maps, tape=tape).result == "[2, 4, 6]"
        assert sorted(record["map_index"] for record in tape.tasks if record["state"] == "completed") == [
            0,
            1,
            2,
        ]

    def test_texts_and_unmapped_are_given_whole_and_futures_are_waited_for(self) -> None:
        @task
        def joined(left: str, right: list[int], item: int) -> str:
            return f"{left}{right}{item}"

        @flow
        def maps() -> Any:
            return joined.map("x", unmapped([0]), [doubled.submit(1), 3]).result()

        assert maps() == ["x[0]2", "x[0]3"]

    def test_a_generator_and_a_future_of_a_list_are_mapped_over(self) -> None:
        @task
        def numbers() -> list[int]:
            return [1, 2]

        @flow
        def maps() -> Any:
            return [
                *doubled.map(number for number in (1, 2)).result(),
                *doubled.map(numbers.submit()).result(),
            ]

        assert maps() == [2, 4, 2, 4]

    def test_a_mapped_task_over_the_results_of_another(self) -> None:
        @flow
        def maps() -> Any:
            return doubled.map(doubled.map([1, 2])).result()

        assert maps() == [4, 8]

    def test_one_failed_item_holds_back_only_what_comes_after_it(self) -> None:
        @task
        def odd(number: int) -> int:
            if number == 2:
                raise ValueError(number)
            return number

        @flow
        def maps() -> Any:
            return [future.wait().name for future in doubled.map(odd.map([1, 2, 3]))]

        assert maps() == ["Completed", "NotReady", "Completed"]

    def test_unequal_lengths_and_nothing_to_map_over_are_refused(self) -> None:
        @task
        def adds(left: int, right: int) -> int:
            return left + right

        @flow
        def unequal() -> None:
            adds.map([1, 2], right=[1])

        @flow
        def nothing() -> None:
            adds.map(1, right="x")

        with pytest.raises(MappingLengthMismatch, match="argument 1 has 2, right has 1"):
            unequal()
        with pytest.raises(MappingMissingIterable, match="nothing to map over"):
            nothing()

    def test_quote_is_given_as_it_is(self) -> None:
        @flow
        def quotes() -> Any:
            future = doubled.submit(1)
            kept = task(lambda value: type(value[0]).__name__)(quote([future]))
            future.result()
            return kept

        assert quotes() == "Future"
