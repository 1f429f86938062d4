"""What a flow returns while its file is loaded tolerates what people do with a result."""

import asyncio
import copy
import math
from typing import Any

import pytest

from schedulerd.authoring.placeholders import Placeholder, PlaceholderCoroutine

A = Placeholder()


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda p: p.result, id="attribute"),
        pytest.param(lambda p: p(1, x=2), id="call"),
        pytest.param(lambda p: p.result[0].value(), id="chain"),
        pytest.param(lambda p: p["rows"], id="item"),
        pytest.param(lambda p: p[1:2], id="slice"),
        pytest.param(lambda p: p + 1, id="sum"),
        pytest.param(lambda p: 1 - p, id="difference, reflected"),
        pytest.param(lambda p: p**2, id="power"),
        pytest.param(lambda p: p | {}, id="or"),
        pytest.param(lambda p: -p, id="negation"),
        pytest.param(abs, id="abs"),
        pytest.param(lambda p: round(p, 2), id="round"),
        pytest.param(lambda p: p.__enter__(), id="context manager"),
    ],
)
def test_using_it_gives_a_placeholder(use: Any) -> None:
    assert isinstance(use(A), Placeholder)


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(lambda p: p, id="itself"),
        pytest.param(lambda p: p == [1, 2], id="equal"),
        pytest.param(lambda p: (p != 1) is False, id="not unequal"),
        pytest.param(lambda p: p > 0, id="greater"),
        pytest.param(lambda p: 0 < p <= 5, id="between"),
        pytest.param(lambda p: p.is_successful(), id="successful"),
        pytest.param(lambda p: not p.is_failed(), id="not failed"),
        pytest.param(lambda p: not p.is_running(), id="not running"),
        pytest.param(lambda p: 1 not in p, id="not in"),
    ],
)
def test_what_people_assert_holds(claim: Any) -> None:
    assert claim(A)


def test_it_is_empty_and_counts_as_nothing() -> None:
    assert (list(A), len(A), int(A), float(A)) == ([], 0, 0, 0.0)
    assert list(range(A)) == []
    assert math.floor(float(A)) == 0


def test_it_is_text_in_every_way() -> None:
    text = "(not run while its file is loaded)"

    assert (str(A), repr(A), f"{A}", f"{A:>10.2f}", f"{A!r:}") == (text,) * 5


def test_items_and_attributes_can_be_set() -> None:
    placeholder: Any = Placeholder()

    placeholder["x"] = 1
    placeholder.x = 1
    del placeholder["x"]

    assert placeholder.x == 1


def test_it_can_be_a_key() -> None:
    assert {A: 1}[A] == 1


def test_as_a_context_manager_it_lets_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), A:
        1 / 0  # noqa: B018


def test_protocols_see_that_they_are_not_supported() -> None:
    assert not hasattr(A, "__array__")
    assert isinstance(copy.deepcopy(A), Placeholder)


def test_it_can_be_used_in_async_code() -> None:
    async def uses() -> object:
        async with A as inner:
            async for _ in inner:
                raise AssertionError("it is empty")
        return await A

    assert asyncio.run(uses()) is A


def test_what_an_async_flow_returns_is_a_coroutine_that_ends_at_once() -> None:
    async def awaits() -> object:
        return await PlaceholderCoroutine()

    assert isinstance(asyncio.run(PlaceholderCoroutine()), Placeholder)
    assert isinstance(asyncio.run(awaits()), Placeholder)


def test_the_coroutine_can_be_closed_and_thrown_into() -> None:
    coroutine = PlaceholderCoroutine()

    coroutine.close()
    with pytest.raises(ValueError, match="x"):
        coroutine.throw(ValueError("x"))
    with pytest.raises(ValueError, match="y"):
        coroutine.throw(ValueError, ValueError("y"))
