"""A form for parameters, and what is typed into it."""

from typing import Any

import pytest

from schedulerd.web.parameter_forms import Kind, fields, read

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "days": {"type": "integer", "default": 3},
        "region": {"type": "string", "description": "where"},
        "mode": {"enum": ["fast", "full"], "default": "fast"},
        "dry": {"type": "boolean", "default": False},
        "rows": {"type": "array", "items": {}},
        "rate": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
    },
    "required": ["region"],
    "additionalProperties": False,
}


def test_each_parameter_has_the_field_that_fits_it() -> None:
    found = {one.name: one for one in fields(SCHEMA, values={})}

    assert {name: one.kind for name, one in found.items()} == {
        "days": Kind.NUMBER,
        "region": Kind.TEXT,
        "mode": Kind.CHOICE,
        "dry": Kind.CHOICE,
        "rows": Kind.JSON,
        "rate": Kind.TEXT,
    }
    assert (found["days"].text, found["days"].default) == ("", "3")
    assert found["region"].required
    assert found["region"].description == "where"
    assert found["mode"].choices == ("fast", "full")
    assert found["dry"].choices == ("true", "false")


def test_the_values_of_another_run_stand_in_the_fields_and_changes_are_known() -> None:
    values = {"days": 7, "rows": [1, 2], "dry": True, "rate": 0.5}

    shown = {one.name: one for one in fields(SCHEMA, values=values)}
    typed = {one.name: one for one in fields(SCHEMA, values=values, typed={"days": "8", "dry": "true"})}

    assert [shown[name].text for name in ("days", "dry", "rate")] == ["7", "true", "0.5"]
    assert shown["rows"].text == "[\n  1,\n  2\n]"
    assert (typed["days"].was, typed["days"].text) == ("7", "8")
    assert typed["dry"].was == typed["dry"].text


def test_what_is_typed_becomes_values_and_what_is_empty_is_left_to_the_flow() -> None:
    typed = {"days": "7", "region": "7", "dry": "true", "rows": "[1]", "rate": "", "other": "x"}

    filled = read(SCHEMA, typed)

    assert filled.parameters == {"days": 7, "region": "7", "dry": True, "rows": [1]}
    assert filled.troubles == {}


@pytest.mark.parametrize(
    ("typed", "where", "why"),
    [
        ({"region": "kr", "days": "many"}, "days", '"many" is not a whole number'),
        ({"region": "kr", "rows": "[1"}, "rows", "is not a list"),
        ({"region": "kr", "mode": "slow"}, "mode", 'is not one of "fast", "full"'),
        ({"days": "1"}, "region", "this is required"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(typed: dict[str, str], where: str, why: str) -> None:
    filled = read(SCHEMA, typed)

    assert list(filled.troubles) == [where]
    assert why in filled.troubles[where]


def test_what_has_line_ends_is_typed_in_lines_and_kept_as_lines() -> None:
    (field,) = fields({"properties": {"sql": {"type": "string"}}}, values={"sql": "select\n1"})
    filled = read({"properties": {"sql": {"type": "string"}}}, {"sql": "select\r\n1"})

    assert field.kind is Kind.LINES
    assert filled.parameters == {"sql": "select\n1"}
