"""What is given with an approval, against the schema of the question."""

from typing import Any

import pytest

from schedulerd.domain.approvals import check_given
from schedulerd.errors import BadParameters

SCHEMA = {
    "type": "object",
    "properties": {"rows": {"type": "integer"}, "note": {"type": "string", "default": ""}},
    "required": ["rows"],
}


def refused(schema: Any, given: dict[str, Any]) -> BadParameters:
    """Why it may not be given."""
    with pytest.raises(BadParameters) as caught:
        check_given("etl#7", schema, given)
    return caught.value


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (None, {}),
        (SCHEMA, {"rows": 5}),
        (SCHEMA, {"rows": 5, "note": "x"}),
        (SCHEMA | {"additionalProperties": True}, {"rows": 5, "other": 1}),
        (SCHEMA | {"additionalProperties": {"type": "integer"}}, {"rows": 5, "other": 1}),
    ],
)
def test_what_the_run_asks_for_may_be_given(schema: Any, given: dict[str, Any]) -> None:
    check_given("etl#7", schema, given)


def test_all_that_is_wrong_is_said_at_once_with_what_is_asked_for() -> None:
    error = refused(SCHEMA, {"note": 5, "row": 1})

    assert error.message == (
        "etl#7: there is no parameter 'row'; did you mean 'rows'?; parameter 'rows' is required; "
        "parameter 'note': 5 is not a text"
    )
    assert error.mend == "it asks for rows (a whole number); note (a text, may be left out)"


def test_a_schema_that_does_not_say_otherwise_names_all_there_is() -> None:
    assert "there is no parameter 'bogus'" in refused(SCHEMA, {"rows": 5, "bogus": 1}).message


def test_a_run_that_waits_for_a_decision_only_takes_nothing() -> None:
    error = refused(None, {"bogus": 1})

    assert error.message == "etl#7: it takes no parameters, but was given 'bogus'"
    assert error.mend == "it waits for a decision only: approve it without parameters"


def test_a_secret_is_refused_without_its_value_as_what_is_given_is_kept() -> None:
    error = refused({"properties": {"token": {"type": "string", "writeOnly": True}}}, {"token": "hunter2"})

    assert "a secret is not given with an approval ('token')" in error.message
    assert "hunter2" not in f"{error.message}{error.mend}"
    assert "schedulerd secrets set" in error.mend
