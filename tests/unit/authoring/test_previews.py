"""Values made short."""

from datetime import date
from typing import Any

import pytest

from schedulerd.authoring.previews import PREVIEW_BYTES, preview, readable, shortened, shortened_middle
from schedulerd.authoring.running import Cancelled


class Raising:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __repr__(self) -> str:
        raise self._error


class RaisingDict(dict[str, int]):
    def items(self) -> Any:
        raise SystemExit(1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("한글", '"한글"'),
        ({"a": [1, 2.5, None]}, '{"a": [1, 2.5, null]}'),
        ((1, 2), "[1, 2]"),
        (date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        ({1, 2}, "{1, 2}"),
        (float("nan"), "nan"),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_a_value_is_shown_as_json_when_it_is_json_and_else_by_repr(value: Any, text: str) -> None:
    assert preview(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000,
        "한" * 10_000,
        ["한글"] * 10_000,
        {str(number): "\ud800" for number in range(10_000)},
        [object()] * 10_000,
        b"x" * 10_000,
        pytest.param(10**5_000, id="huge integer"),
        [[[[[object()] * 30] * 30] * 30] * 30] * 30,
    ],
)
def test_a_preview_is_never_longer_than_its_bound(value: Any) -> None:
    text = preview(value)

    assert 0 < len(text.encode()) <= PREVIEW_BYTES


def test_only_the_beginning_of_a_long_value_is_looked_at() -> None:
    looked_at: list[int] = []

    class Watched(list[int]):
        def __iter__(self) -> Any:
            for number in super().__iter__():
                looked_at.append(number)
                yield number

    preview(Watched(range(1_000_000)))

    assert len(looked_at) < 2_000


def test_values_within_themselves_are_shown() -> None:
    value: list[Any] = [1]
    value.append(value)

    assert preview(value).startswith("[1, [1, [")


def test_an_object_whose_repr_fails_is_named_by_its_class() -> None:
    assert preview(Raising(ValueError())).startswith("<Raising instance at ")
    assert preview(Raising(SystemExit())) == "<Raising: its repr() failed with SystemExit>"


def test_a_dict_that_cannot_be_walked_is_shown_by_repr() -> None:
    assert preview(RaisingDict(a=1)) == "{'a': 1}"


def test_a_cancellation_passes_through() -> None:
    class Cancelling(dict[str, int]):
        def items(self) -> Any:
            raise Cancelled

    with pytest.raises(Cancelled):
        preview(Raising(Cancelled()))
    with pytest.raises(Cancelled):
        preview(Cancelling(a=1))


def test_a_text_is_cut_between_characters() -> None:
    assert shortened("한글한글", limit=10) == "한글 …"
    assert shortened("한글", limit=6) == "한글"


def test_a_long_text_keeps_its_beginning_and_more_of_its_end() -> None:
    text = shortened_middle("a" * 100 + "z" * 100, limit=60)

    assert len(text) <= 60
    assert text.startswith("a" * 15 + "\n  ...\n")
    assert text.endswith("z" * 30)
    assert shortened_middle("short", limit=60) == "short"


def test_readable_shortens_long_texts() -> None:
    assert len(readable("x" * 1_000, limit=50)) <= 50
