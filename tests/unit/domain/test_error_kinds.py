"""Kinds of errors: what is alike in all but numbers is of one, and who looks for a text finds the kinds that may have it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.error_kinds import error_kind, kind_search
from schedulerd.domain.failures import Failure

WORDS = st.text(alphabet=st.sampled_from("no suchklmrt '_:%–값0123456789\n"), max_size=30)


def of(message: str, kind: str = "ValueError") -> Failure:
    return Failure(type=kind, message=message)


@pytest.mark.parametrize(
    ("message", "other"),
    [
        ("row 17 of 0xffab is bad", "row 18 of 0xffcd is bad"),
        ("no object 3f2a9c10b7", "no object 99d1e0aa41"),
        ("no such field", "no such field\nwith much beside it"),
        ("took 3.5 s", "took 12.25 s"),
    ],
)
def test_numbers_addresses_and_digests_do_not_tell_errors_apart(message: str, other: str) -> None:
    assert error_kind(of(message)).key == error_kind(of(other)).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("no such field"), of("no such row")),
        (of("no such field"), of("no such field", kind="KeyError")),
        (of("the cafe is closed"), of("the dead is closed")),
    ],
)
def test_types_and_words_do(one: Failure, other: Failure) -> None:
    assert error_kind(one).key != error_kind(other).key


def test_a_key_fits_into_a_database() -> None:
    keys = [error_kind(of("x" * number)).key for number in range(200)]

    assert all(0 <= key < 2**63 for key in keys)
    assert max(keys) > 2**60


def test_an_endless_message_is_cut() -> None:
    assert len(error_kind(of("long " * 10_000)).text) == 300


@given(WORDS, WORDS, WORDS)
def test_the_kind_of_an_error_with_a_text_has_all_parts_of_the_search(
    before: str, text: str, after: str
) -> None:
    line = (before + text + after).split("\n", 1)[0].strip()
    text = text.strip().split("\n", 1)[0]
    if text not in line:
        return

    found = kind_search(text)

    assert all(part in error_kind(of(line)).text for part in found.parts)


def test_a_text_without_numbers_is_looked_for_as_it_stands() -> None:
    assert kind_search("KeyError: 'region'").is_exact
    assert kind_search("row 17 is").parts == ("row ", " is")
    assert not kind_search("row 17 is").is_exact
    assert kind_search("17").parts == ()
