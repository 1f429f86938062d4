"""Files that schedulerd writes itself: read back as they were meant, and ours only as long as nobody else has written them."""

import tomllib
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.own_files import file_name, file_text, key_at, read_own
from schedulerd.domain.toml_writing import assignment, value_text
from tests.builders import NOW

VALUES = {"name": "etl", "flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr", "days": [1, 2]}}

_scalars = (
    st.text(st.characters(codec="utf-8"))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.dates()
    | st.datetimes().map(lambda one: one.replace(microsecond=0))
)
_tables = st.recursive(
    _scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@given(_tables)
def test_every_value_is_read_back_as_it_was(value: Any) -> None:
    text = assignment("key", value)

    assert "\n" not in text
    assert tomllib.loads(text)["key"] == value


def test_what_toml_cannot_say_is_refused() -> None:
    for value in (None, object(), [None], {"key": None}):
        with pytest.raises(ValueError, match="TOML has no way"):
            value_text(value)
    assert value_text(time(6, 30)) == "06:30:00"
    assert value_text(date(2026, 11, 22)) == "2026-11-22"
    assert value_text({}) == "{}"


def test_a_file_says_who_had_it_written_and_when() -> None:
    own = read_own(file_text(VALUES, by="minji", at=NOW).encode())

    assert own is not None
    assert (own.values, own.by, own.at) == (VALUES, "minji", NOW)
    assert own.at == datetime.fromisoformat("2026-11-22T06:00:00Z")


@pytest.mark.parametrize(
    "changed",
    [
        ("0 6 * * *", "0 7 * * *"),
        ("[[schedule]]", "# mine\n[[schedule]]"),
        ("# sha256", "#sha256"),
        ("# Written by", "# Made by"),
    ],
)
def test_a_file_that_somebody_changed_is_theirs(changed: tuple[str, str]) -> None:
    text = file_text(VALUES, by="minji", at=NOW)

    assert read_own(text.replace(*changed).encode()) is None


def test_what_is_no_text_or_holds_no_one_schedule_is_not_ours() -> None:
    assert read_own(b"\xff") is None
    assert read_own(b"") is None
    assert read_own(file_text({}, by="", at=NOW).replace("[[schedule]]", "").encode()) is None


def test_who_writes_cannot_add_lines_to_the_head() -> None:
    text = file_text(VALUES, by="a\n[[schedule]]\nb", at=NOW)

    own = read_own(text.encode())
    assert own is not None
    assert own.by == "a [[schedule]] b"
    assert own.values == VALUES


def test_each_key_has_a_line_of_its_own_by_which_it_is_found() -> None:
    text = file_text(VALUES, by="minji", at=NOW)
    numbers = {line.partition(" ")[0]: number for number, line in enumerate(text.splitlines(), 1)}

    assert [key_at(text, numbers[key]) for key in VALUES] == list(VALUES)
    assert key_at(text, 1) == ""
    assert key_at(text, None) == ""


@pytest.mark.parametrize(
    "name", ["etl", "../../etc/cron.d/x", "a/b", "a\0b", "", ".", "..", "이름", "x" * 500, "web-\n", "A", "a"]
)
def test_a_name_of_a_file_is_safe_whatever_the_schedule_is_called(name: str) -> None:
    found = file_name(name)

    assert found.startswith("web-")
    assert found.endswith(".toml")
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert len(found) < 100
    assert ".." not in found


def test_two_schedules_never_have_one_file() -> None:
    names = ["A", "a", "a b", "a-b", "a/b", "이", "름"]

    assert len({file_name(name) for name in names}) == len(names)
