"""Values kept with their run, and what another attempt goes on from."""

import gc
import math
import stat
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd import flow, task
from schedulerd.authoring.context import Facts
from schedulerd.authoring.execution import execute
from schedulerd.authoring.keeping import EXACT, INLINE_BYTES, Keeper, Kept, NotKept, call_of, call_parts
from schedulerd.authoring.known import Known
from schedulerd.states import Completed
from tests.unit.authoring.tape import Tape

LIMIT = 1_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "values", limit=LIMIT)


def back(keeper: Keeper, shown: str | None, kept: Kept | None) -> Any:
    """The value, as another attempt is given it."""
    assert kept is not None
    content = ("null" if shown is None else shown).encode() if kept.kind == EXACT else kept.content
    return keeper.load(kept.kind, content, kept.file)


@given(value=JSON)
def test_what_is_json_comes_back_as_it_was(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    keeper = Keeper(tmp_path_factory.mktemp("values"), limit=LIMIT)

    found = back(keeper, *keeper.keep(value))

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, {"a": (1,)}, {1, 2}, b"bytes", 1 + 2j, float("inf"), "a\ttab", "x" * 5_000, 10**400],
)
def test_what_is_no_json_or_long_comes_back_as_it_was(keeper: Keeper, value: Any) -> None:
    found = back(keeper, *keeper.keep(value))

    assert found == value
    assert type(found) is type(value)


def test_no_number_comes_back(keeper: Keeper) -> None:
    assert math.isnan(back(keeper, *keeper.keep(math.nan)))


def test_a_large_value_lies_in_a_file_for_this_user_only(keeper: Keeper, tmp_path: Path) -> None:
    value = bytes(INLINE_BYTES + 1)

    shown, kept = keeper.keep(value)

    assert kept is not None
    assert (kept.content, back(keeper, shown, kept)) == (b"", value)
    (file,) = (tmp_path / "values").iterdir()
    assert file.name == kept.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("value", "said"), [(bytes(LIMIT), "more than 1,000,000"), (threading.Lock(), "cannot be pickled")]
)
def test_what_cannot_be_kept_says_why_and_is_shown_all_the_same(
    keeper: Keeper, value: Any, said: str
) -> None:
    with pytest.raises(NotKept, match=said) as refused:
        keeper.keep(value)

    assert refused.value.shown


def test_calls_are_told_apart_by_what_they_are_given_where_that_is_plain() -> None:
    first, other = call_of("load", 0, (1, "a"), {}), call_of("load", 0, (2, "a"), {})

    assert first != other
    assert first == call_of("load", 0, (1, "a"), {})
    assert call_parts(call_of("load rows", 3, ([1],), {})) == ("-", 3, "load rows")


def attempt(flow: Any, keeper: Keeper, known: list[dict[str, str]]) -> tuple[Any, Tape, list[dict[str, str]]]:
    """One attempt of a flow: its outcome, what it told, and what the next is given."""
    from base64 import b64encode

    tape = Tape()
    tape.keeper = keeper
    outcome = execute(flow, {}, tape, known=Known.of_earlier(known, keeper))
    kept = []
    for record in tape.tasks:
        value = record["kept"]
        if value is not None:
            content = (
                ("null" if record["result"] is None else record["result"]).encode()
                if value.kind == EXACT
                else value.content
            )
            kept.append(
                {
                    "call": record["call"],
                    "kind": value.kind,
                    "content": b64encode(content).decode(),
                    "file": value.file,
                    "began": "12",
                    "ended": "34",
                }
            )
    return outcome, tape, kept


def test_what_completed_does_not_run_again_and_what_failed_does(keeper: Keeper) -> None:
    calls: list[str] = []

    @task
    def extract(number: int) -> set[int]:
        calls.append(f"extract {number}")
        return {number}

    @task
    def load(rows: set[int]) -> int:
        calls.append("load")
        if calls.count("load") == 1:
            raise ConnectionError("away")
        return sum(rows)

    @flow
    def etl() -> int:
        return int(load(extract(1) | extract(2)))

    failed, _, kept = attempt(etl, keeper, [])
    again, tape, _ = attempt(etl, keeper, kept)

    assert (failed.state, again.state, again.result) == ("failed", "completed", "3")
    assert calls == ["extract 1", "extract 2", "load", "load"]
    assert [(record["name"], record["state"], record["message"]) for record in tape.tasks] == [
        ("extract", "completed", "completed in an earlier attempt"),
        ("extract", "completed", "completed in an earlier attempt"),
        ("load", "running", ""),
        ("load", "completed", ""),
    ]
    assert [(one["began_at"], one["at"]) for one in tape.tasks[:2]] == [(12, 34)] * 2
    assert tape.tasks[3]["began_at"] is None


def test_what_completed_before_a_flow_is_tried_again_here_keeps_its_times() -> None:
    tries: list[int] = []

    @task
    def extract() -> int:
        return 1

    @flow(retries=1)
    def etl() -> None:
        extract()
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")

    tape = Tape()
    execute(etl, {}, tape)

    began, ended, again = tape.tasks
    assert again["message"] == "completed in an earlier attempt"
    assert (again["began_at"], again["at"]) == (began["at"], ended["at"])


def test_a_flow_that_goes_another_way_is_not_given_the_value_of_another_call(keeper: Keeper) -> None:
    wanted, calls = [[1, 2], [2, 3]], list[int]()

    @task
    def square(number: int) -> int:
        calls.append(number)
        return number * number

    @flow
    def squares() -> list[int]:
        return [square(number) for number in wanted.pop(0)]

    _, _, kept = attempt(squares, keeper, [])
    again, _, _ = attempt(squares, keeper, kept)

    assert (again.result, calls) == ("[4, 9]", [1, 2, 2, 3])


def test_mapped_tasks_that_completed_do_not_run_again(keeper: Keeper) -> None:
    calls: list[int] = []

    @task
    def checked(number: int) -> int:
        calls.append(number)
        if number == 2 and calls.count(2) == 1:
            raise ValueError(number)
        return number

    @flow
    def maps() -> Any:
        return checked.map([1, 2, 3])

    _, _, kept = attempt(maps, keeper, [])
    again, _, _ = attempt(maps, keeper, kept)

    assert again.state == "completed"
    assert sorted(calls) == [1, 2, 2, 3]


def test_a_value_that_cannot_be_read_is_made_again(keeper: Keeper, tmp_path: Path) -> None:
    calls: list[int] = []

    @task
    def large() -> bytes:
        calls.append(1)
        return bytes(INLINE_BYTES + 1)

    @flow
    def uses() -> int:
        return len(large())

    _, _, kept = attempt(uses, keeper, [])
    for file in (tmp_path / "values").iterdir():
        file.unlink()
    again, tape, _ = attempt(uses, keeper, kept)

    assert (again.state, len(calls)) == ("completed", 2)
    assert any("large runs again: what it came to cannot be read" in text for text in tape.messages())


def test_a_value_that_is_too_large_is_a_warning_and_its_task_runs_again(tmp_path: Path) -> None:
    keeper, calls = Keeper(tmp_path, limit=10), list[int]()

    @task
    def large() -> tuple[int, ...]:
        calls.append(1)
        return tuple(range(100))

    @flow
    def uses() -> int:
        return len(large())

    _, tape, kept = attempt(uses, keeper, [])
    attempt(uses, keeper, kept)

    assert len(calls) == 2
    assert any("the result of large is not kept: it has" in text for text in tape.messages())


def test_a_process_that_makes_one_attempt_only_holds_no_value_of_a_task_for_another(keeper: Keeper) -> None:
    held: list[Any] = []

    class Rows:
        pass

    @task
    def extract() -> Rows:
        rows = Rows()
        held.append(weakref.ref(rows))
        return rows

    @flow(retries=1)
    def etl() -> bool:
        extract()
        gc.collect()
        return held[0]() is None

    outcome = execute(etl, {}, Tape(), facts=Facts(id="a"), known=Known.of_earlier([], keeper))

    assert outcome.result == "true"


def test_a_state_that_a_task_made_is_kept_as_a_value_is(keeper: Keeper) -> None:
    calls: list[int] = []

    @task
    def decides() -> Any:
        calls.append(1)
        return Completed(message="as expected", data={"rows": 5})

    @flow
    def uses() -> Any:
        found = decides()
        if len(calls) == 1 and not failed:
            failed.append(1)
            raise ValueError("once")
        return found

    failed: list[int] = []
    _, _, kept = attempt(uses, keeper, [])
    again, tape, _ = attempt(uses, keeper, kept)

    assert (again.result, len(calls)) == ('{"rows": 5}', 1)
    assert tape.tasks[0]["message"] == "completed in an earlier attempt"
