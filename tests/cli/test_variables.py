"""`variables`: list, get, set, unset."""

import json

import pytest

from tests.cli.scenes import Project


def test_a_value_that_is_json_is_what_it_says_and_all_else_is_text(project: Project) -> None:
    for name, text in (("rows", "5"), ("where", "s3://data"), ("deep", '{"a": [1, null]}'), ("text", '"5"')):
        assert project.call("variables", "set", name, text).exit_code == 0
    project.call("variables", "set", "five", "5", "--text", "--tag", "etl")

    listed = json.loads(project.call("variables", "list", "-o", "json").stdout)

    assert {one["name"]: one["value"] for one in listed} == {
        "rows": 5,
        "where": "s3://data",
        "deep": {"a": [1, None]},
        "text": "5",
        "five": "5",
    }
    assert next(one for one in listed if one["name"] == "five")["tags"] == ["etl"]
    assert project.call("variables", "get", "where").stdout == "s3://data\n"
    assert project.call("variable", "get", "deep").stdout == '{"a": [1, null]}\n'


def test_what_is_set_no_more_is_not_found(project: Project) -> None:
    project.call("variables", "set", "bucket", "x")

    assert project.call("variables", "unset", "bucket").exit_code == 0
    for words in (("get", "bucket"), ("unset", "bucket")):
        result = project.call("variables", *words)
        assert result.exit_code == 3
        assert "there is no variable 'bucket'" in result.stderr


def test_without_variables_the_list_is_empty_and_says_how_to_make_one(project: Project) -> None:
    result = project.call("variables", "list", "-o", "json")

    assert result.exit_code == 0
    assert result.stdout == "[]\n"
    assert "variables set" in result.stderr


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ä", "a" * 256])
def test_a_name_that_cannot_be_is_a_usage_error(project: Project, name: str) -> None:
    result = project.call("variables", "set", "--", name, "x")

    assert result.exit_code == 2
    assert "cannot be the name of a variable" in result.stderr


def test_a_value_that_is_too_large_is_refused(project: Project) -> None:
    result = project.call("variables", "set", "a", "x" * 70_000)

    assert result.exit_code == 2
    assert "70,002 bytes of JSON, more than 65,536" in result.stderr
