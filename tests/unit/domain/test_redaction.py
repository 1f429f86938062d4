"""Secrets are taken out of texts, by value: plain, in JSON, URL-encoded, in hex, and in Base64 wherever they stand."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.redaction import STARS, Redactor

VALUE = 'hunter2 "ö/+&'


def redactor(*values: object) -> Redactor:
    """One that knows these."""
    made = Redactor()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    "told",
    [
        VALUE,
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        repr(VALUE),
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
    ],
)
def test_a_secret_is_found_however_it_is_written(told: str) -> None:
    assert redactor(VALUE).redact(f"before {told} after") in (
        f"before {STARS} after",
        f'before "{STARS}" after',
        f"before '{STARS}' after",
    )


@given(before=st.binary(max_size=8), after=st.binary(max_size=8), value=st.text(min_size=8, max_size=40))
def test_base64_of_anything_with_a_secret_in_it_does_not_tell_it(
    before: bytes, after: bytes, value: str
) -> None:
    raw = value.encode("utf-8", "surrogateescape") if value.isprintable() else b""
    if len(raw) < 8:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        told = redactor(value).redact(encode(before + raw + after).decode())

        assert STARS in told


def test_the_longest_is_taken_out_first_and_values_may_be_added_later() -> None:
    made = redactor("pass")
    made.add("password")

    assert made.redact("password pass word") == "*** *** word"


def test_all_texts_of_a_value_that_is_json_are_secret_and_so_are_its_numbers() -> None:
    made = redactor({"user": "kimchi", "deep": ["other-word", {"pin": 123456}], "on": True, "none": None})

    assert made.redact_all({"kimchi": ["a other-word", 1], "n": "pin=123456", "t": "True"}) == {
        "***": ["a ***", 1],
        "n": "pin=***",
        "t": "True",
    }


def test_each_long_line_of_a_secret_of_many_lines_is_one() -> None:
    key = "-----BEGIN-----\nMIIEvQIBADANBg\nab\n-----END-----\n"

    assert redactor(key).redact("x MIIEvQIBADANBg\nab") == "x ***\nab"


@pytest.mark.parametrize("value", ["", "abc", 12, None, True, ["a"]])
def test_what_is_too_short_is_not_looked_for(value: object) -> None:
    made = redactor(value)

    assert not made
    assert made.redact("abc 12 None True a") == "abc 12 None True a"


def test_bytes_and_values_that_hold_a_secret_are_known() -> None:
    made = redactor("hunter2")

    assert made.is_in(b"\x80\x05hunter2.")
    assert not made.is_in(b"hunter")
    assert made.is_in_value({"a": ("x hunter2",)})
    assert not made.is_in_value({"a": ("x", 1)})
    assert not Redactor().is_in(b"hunter2")
    assert not Redactor().is_in_value("hunter2")


def test_a_value_that_is_too_deep_is_left_as_it_is() -> None:
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]

    assert redactor("hunter2").redact_all(deep) == deep
