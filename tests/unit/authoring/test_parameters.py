"""Parameters of a flow: their JSON schema, and values made to fit the hints."""

from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Dict, List, Literal, Optional  # noqa: UP035

import pytest

from schedulerd.authoring.hints import coerce, schema_of_hint
from schedulerd.authoring.parameters import coerced, schema_of
from schedulerd.errors import BadParameters

if TYPE_CHECKING:
    from decimal import Decimal

DAY = date(2026, 12, 31)
MOMENT = datetime(2026, 12, 31, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list, {"type": "array"}),
        (List, {"type": "array"}),  # noqa: UP006
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict, {"type": "object"}),
        (Dict, {"type": "object"}),  # noqa: UP006
        (dict[str, date], {"type": "object", "additionalProperties": {"type": "string", "format": "date"}}),
        (date, {"type": "string", "format": "date"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Optional[str], {"anyOf": [{"type": "string"}, {"type": "null"}]}),  # noqa: UP045
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Any, {}),
        (None, {}),
        (bytes, {}),
        (tuple[int, str], {}),
    ],
)
def test_a_plain_hint_has_a_schema_and_any_other_none(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of_hint(hint) == schema


def test_a_function_has_a_schema_with_defaults_and_required_names() -> None:
    def etl(
        source: str,
        region: Annotated[str, "where"] = "kr",
        odd: Any = object,
        *,
        until: date = DAY,
        only_checked: "Decimal | None" = None,
    ) -> None: ...

    assert schema_of(etl) == {
        "type": "object",
        "properties": {
            "source": {"type": "string"},
            "region": {"type": "string", "default": "kr"},
            "odd": {},
            "until": {"type": "string", "format": "date", "default": "2026-12-31"},
            "only_checked": {"default": None},
        },
        "required": ["source"],
        "additionalProperties": False,
    }


def test_a_function_that_takes_any_keyword_has_an_open_schema() -> None:
    def etl(*args: int, p: int = 1, **more: str) -> None: ...

    assert schema_of(etl) == {"type": "object", "properties": {"p": {"type": "integer", "default": 1}}}
    assert coerced(etl, {"p": "2", "q": date}, flow="etl") == {"p": 2, "q": date}


def test_hints_that_are_text_are_resolved_where_the_function_stands() -> None:
    def etl(day: "date", other: "Nowhere" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert schema_of(etl)["properties"] == {
        "day": {"type": "string", "format": "date"},
        "other": {"default": None},
    }
    assert coerced(etl, {"day": "2026-12-31", "other": 1}, flow="etl") == {"day": DAY, "other": 1}


def test_a_callable_without_hints_asks_for_nothing() -> None:
    assert schema_of(partial(lambda p, q: p, q=1))["properties"] == {"p": {}, "q": {"default": 1}}
    assert coerced(lambda p: p, {"p": "x"}, flow="etl") == {"p": "x"}


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (str, "x", "x"),
        (int, 5, 5),
        (int, "5", 5),
        (int, 5.0, 5),
        (float, 5, 5.0),
        (float, 2.5, 2.5),
        (float, "2.5", 2.5),
        (bool, True, True),
        (bool, "yes", True),
        (bool, "False", False),
        (bool, 0, False),
        (date, "2026-12-31", DAY),
        (date, DAY, DAY),
        (datetime, "2026-12-31T06:00:00Z", MOMENT),
        (datetime, MOMENT, MOMENT),
        (datetime, "2026-12-31", datetime(2026, 12, 31)),  # noqa: DTZ001  naive, as it was given
        (list, [1, "a"], [1, "a"]),
        (list, (1, 2), [1, 2]),
        (list[date], ["2026-12-31"], [DAY]),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, int], {"a": "1"}, {"a": 1}),
        (dict[int, list[date]], {"1": ["2026-12-31"]}, {1: [DAY]}),
        (int | None, None, None),
        (date | None, "2026-12-31", DAY),
        (int | str, "5", "5"),
        (int | date, "2026-12-31", DAY),
        (Literal["a", 1], 1, 1),
        (Any, b"x", b"x"),
        (bytes, "x", "x"),
        (tuple[int, int], [1], [1]),
        (None, 1, 1),
    ],
)
def test_a_value_is_made_to_fit_its_hint(hint: Any, given: Any, made: Any) -> None:
    result = coerce(hint, given)

    assert (result, type(result)) == (made, type(made))


@pytest.mark.parametrize(
    ("hint", "given", "said"),
    [
        (str, 5, r"parameter 'p': 5 \(an int\) is not a text"),
        (int, True, r"True \(a bool\) is not a whole number"),
        (int, "five", r"'five' \(a str\) is not a whole number"),
        (int, 2.5, r"2.5 \(a float\) is not a whole number"),
        (float, "much", r"'much' \(a str\) is not a number"),
        (float, False, r"False \(a bool\) is not a number"),
        (float, 10**400, r"\(an int\) is not a number"),
        (bool, "maybe", r"'maybe' \(a str\) is not true or false"),
        (bool, 2, r"2 \(an int\) is not true or false"),
        (bool, None, r"None is not true or false"),
        (date, "2026-13-01", r"'2026-13-01' \(a str\) is not a date such as 2026-12-31"),
        (date, MOMENT, "is not a date"),
        (datetime, "noon", r"'noon' \(a str\) is not a moment such as"),
        (datetime, 5, r"5 \(an int\) is not a moment"),
        (list, "abc", r"'abc' \(a str\) is not a list"),
        (list[int], [1, "x"], r"parameter 'p'\[1\]: 'x' \(a str\) is not a whole number"),
        (dict, [], r"\[\] \(a list\) is not an object"),
        (dict[str, list[int]], {"a": [0, None]}, r"parameter 'p'\['a'\]\[1\]: None is not a whole number"),
        (int | None, "x", r"'x' \(a str\) is not a whole number or null"),
        (Literal["a", 1], "b", r"'b' \(a str\) is not one of 'a', 1"),
        (Literal["a", 1], True, r"True \(a bool\) is not one of"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_was_wanted(hint: Any, given: Any, said: str) -> None:
    def etl(p: Any) -> None: ...

    etl.__annotations__["p"] = hint

    with pytest.raises(BadParameters, match=said):
        coerced(etl, {"p": given}, flow="etl")


def test_all_that_is_wrong_is_said_at_once() -> None:
    def etl(day: date, limit: int) -> None: ...

    with pytest.raises(BadParameters) as wrong:
        coerced(etl, {"day": 1, "limit": "x"}, flow="etl")

    assert str(wrong.value) == (
        f"flow 'etl' ({__file__}, line {etl.__code__.co_firstlineno}): "
        "parameter 'day': 1 (an int) is not a date such as 2026-12-31; "
        "parameter 'limit': 'x' (a str) is not a whole number"
    )


def test_missing_and_unknown_parameters_are_named() -> None:
    def etl(day: date, limit: int = 1) -> None: ...

    with pytest.raises(
        BadParameters, match=r"flow 'etl': missing 'day'; unknown 'dya' \(it takes 'day', 'limit'\)"
    ):
        coerced(etl, {"dya": "2026-12-31"}, flow="etl")
