"""What a run asks people to give: its schema, and what is made of what they gave."""

from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, RootModel, SecretStr, field_validator

from schedulerd.authoring.wanted import Unfit, Wanted
from schedulerd.input import RunInput


class Color(BaseModel):
    name: str


class Release(RunInput):
    version: str
    rows: int = 5
    color: Color | None = None

    @field_validator("version")
    @classmethod
    def _has_a_point(cls, version: str) -> str:
        if "." not in version:
            raise ValueError("a version has a point")
        return version


class Opaque:
    """What pydantic checks, and has no JSON for."""


class Unheard(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    what: Opaque


class Many(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, {"type": "integer"}),
        (date, {"type": "string", "format": "date"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Many, {"type": "array", "items": {"type": "integer"}, "title": "Many"}),
        (tuple[int, int], None),
    ],
    ids=str,
)
def test_a_type_is_asked_for_as_one_value_that_is_required(hint: Any, schema: Any) -> None:
    said = Wanted(hint).schema()

    assert said is not None
    assert (said["type"], said["required"], said["additionalProperties"]) == ("object", ["value"], False)
    assert list(said["properties"]) == ["value"]
    assert said["properties"]["value"] == schema or (
        schema is None and said["properties"]["value"]["type"] == "array"
    )


def test_a_model_is_asked_for_field_by_field_without_references() -> None:
    schema = Wanted(Release).schema()

    assert schema is not None
    assert schema["required"] == ["version"]
    assert schema["properties"]["rows"]["type"] == "integer"
    assert "$ref" not in str(schema)


def test_nothing_is_asked_for_where_only_a_decision_is() -> None:
    assert Wanted(None).schema() is None
    assert Wanted(None).fitted({"x": 1}) is None


def test_what_has_no_schema_is_left_to_the_run() -> None:
    wanted = Wanted(Unheard)

    assert wanted.schema() == {"type": "object", "properties": {}}
    with pytest.raises(Unfit, match="what: "):
        wanted.fitted({"what": "x"})


def test_what_fits_is_what_the_flow_gets() -> None:
    assert Wanted(int).fitted({"value": "5"}) == 5
    assert Wanted(date).fitted({"value": "2026-11-27"}) == date(2026, 11, 27)
    assert Wanted(tuple[int, int]).fitted({"value": [1, 2]}) == (1, 2)
    assert Wanted(Many).fitted({"value": [1, "2"]}) == Many([1, 2])
    assert Wanted(Release).fitted({"version": "1.2", "color": {"name": "red"}}) == Release(
        version="1.2", color=Color(name="red")
    )


@pytest.mark.parametrize(
    ("hint", "given", "words"),
    [
        (int, {"value": "sesame"}, "value: a str is not a whole number"),
        (list[int], {"value": [1, "sesame"]}, "value[1]: a str is not a whole number"),
        (int, None, "value is required"),
        (tuple[int, int], {"value": [1, "sesame"]}, "value[1]: Input should be a valid integer"),
        (Release, {"version": "sesame"}, "version: Value error, a version has a point (it is a str)"),
        (Release, {"version": "1.2", "color": {"name": ["sesame"]}}, "color.name: Input should be a valid string"),
        (Release, None, "version: Field required"),
        (SecretStr, {"value": ["sesame"]}, "value: Input should be a valid string"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_place_and_reason_without_the_value_or_an_address(
    hint: Any, given: Any, words: str
) -> None:
    with pytest.raises(Unfit) as caught:
        Wanted(hint).fitted(given)

    assert str(caught.value).startswith(words)
    assert "sesame" not in str(caught.value)
    assert "http" not in str(caught.value)
