"""Parameters against the schema that inspecting a flow's file gave."""

from typing import Any

import pytest

from schedulerd.domain.parameters import check_parameters, require_storable, value_of, wanted
from schedulerd.errors import BadParameters

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string"},
        "rows": {"type": "integer"},
        "rate": {"type": "number"},
        "dry": {"type": "boolean"},
        "days": {"type": "array", "items": {"type": "string"}},
        "options": {"type": "object"},
        "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "mode": {"enum": ["fast", "safe", 3]},
        "any": {},
        "guessed": {"default": 5},
    },
    "required": ["region"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "more",
    [
        {"rows": 3},
        {"rows": 3.0},
        {"rate": 3},
        {"rate": 0.5},
        {"dry": True},
        {"days": ["mon"]},
        {"options": {"a": 1}},
        {"day": None},
        {"day": "2026-01-01"},
        {"mode": 3},
        {"any": [1, {"a": None}]},
        {"guessed": "six"},
    ],
    ids=str,
)
def test_what_fits_passes(more: dict[str, Any]) -> None:
    check_parameters("etl", SCHEMA, {"region": "kr", **more})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "parameter 'region' is required"),
        ({"region": 1}, "parameter 'region': 1 is not a text"),
        ({"region": "kr", "rows": "3"}, "parameter 'rows': \"3\" is not a whole number"),
        ({"region": "kr", "rows": 3.5}, "parameter 'rows': 3.5 is not a whole number"),
        ({"region": "kr", "rows": True}, "parameter 'rows': true is not a whole number"),
        ({"region": "kr", "dry": 1}, "parameter 'dry': 1 is not true or false"),
        ({"region": "kr", "day": 1}, "parameter 'day': 1 is not a text or null"),
        ({"region": "kr", "mode": "slow"}, 'parameter \'mode\': "slow" is not one of "fast", "safe", 3'),
        ({"region": "kr", "regoin": 1}, "there is no parameter 'regoin'; did you mean 'region'?"),
        ({"region": "x" * 99, "rows": "y" * 99}, "…"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameters) as caught:
        check_parameters("etl", SCHEMA, given)

    assert said in caught.value.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadParameters) as caught:
        check_parameters("etl", SCHEMA, {"rows": "x", "nobody": 1})

    assert caught.value.message.count(";") == 3


def test_a_flow_without_parameters_takes_none() -> None:
    with pytest.raises(BadParameters, match="takes no parameters"):
        check_parameters("dump", {}, {"a": 1})


def test_a_flow_that_takes_any_names_takes_them() -> None:
    check_parameters("etl", {"properties": {"a": {"type": "integer"}}}, {"b": 1})
    check_parameters("etl", {"type": "object", "properties": {}}, {"b": 1})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("region", "12", "12"),
        ("region", "null", "null"),
        ("rows", "12", 12),
        ("rows", "many", "many"),
        ("rate", "0.5", 0.5),
        ("dry", "true", True),
        ("days", '["mon"]', ["mon"]),
        ("day", "null", None),
        ("day", "2026-01-01", "2026-01-01"),
        ("mode", "3", "3"),
        ("any", "12", "12"),
        ("guessed", "12", 12),
    ],
)
def test_a_text_stands_for_what_its_parameter_asks_for(name: str, text: str, value: Any) -> None:
    properties: dict[str, Any] = SCHEMA["properties"]  # type: ignore[assignment]

    assert value_of(properties[name], text) == value


def test_what_a_parameter_asks_for_has_words() -> None:
    assert wanted({}) == "anything"
    assert wanted({"type": ["integer", "null"]}) == "a whole number or null"


@pytest.mark.parametrize(
    "secret",
    [
        {"type": "string", "format": "password", "writeOnly": True},
        {"anyOf": [{"type": "string", "writeOnly": True}, {"type": "null"}], "default": None},
        {"type": "object", "properties": {"password": {"type": "string", "writeOnly": True}}},
    ],
)
def test_a_secret_is_not_kept_as_a_parameter_nor_shown_where_it_is_refused(secret: Any) -> None:
    schema = {"type": "object", "properties": {"day": {"type": "string"}, "password": secret}}

    require_storable("etl", schema, {"day": "hush", "unknown": 1})
    with pytest.raises(BadParameters, match="'password'") as refused:
        require_storable("etl", schema, {"day": "x", "password": "hush"})

    assert "hush" not in f"{refused.value} {refused.value.mend}"
    assert "Secret.load(" in str(refused.value.mend)
