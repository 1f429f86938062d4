"""Kinds of errors: what is alike in all but numbers is of one, and who looks for a text finds the kinds that may have it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schedulerd.domain.error_kinds import KindSearch, error_kind, kind_search
from schedulerd.domain.failures import Failure

PIECES = ("n", "'", " ", "_", "\u2013", "\uac12", "7", "#", "0x", "dead", "BEEF", "deadbeef", "error")
LINES, TEXTS = (
    st.lists(st.sampled_from(PIECES), min_size=least, max_size=most).map("".join)
    for least, most in ((0, 4), (1, 2))
)


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


@given(LINES, LINES, TEXTS, LINES)
@example("ValueError", "row ", "#", "7")
@example("ValueError", "cannot read /x/", "dead", "beef12")
@settings(max_examples=400)
def test_what_a_plain_search_finds_is_of_the_kinds_that_are_found_and_an_exact_search_finds_nothing_else(
    kind: str, before: str, text: str, after: str
) -> None:
    for message in (before + text + after, before + after):
        failure = of(message, kind=kind)
        line = f"{kind}: {message.strip()}"
        found = kind_search(text)

        is_of_kind = all(part.lower() in error_kind(failure).text.lower() for part in found.parts)

        assert is_of_kind or text.lower() not in line.lower()
        if found.is_exact:
            assert is_of_kind == (text.lower() in line.lower())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("KeyError: 'region'", ("KeyError: 'region'",)),
        ("error", ("error",)),
        ("the dead is closed", ("the dead is closed",)),
        ("row 17 is", ("row ", " is")),
        ("17", ()),
        ("#", ()),
        ("no #", ("no ",)),
        ("dead", ()),
        ("dead end", (" end",)),
        ("at 0xDE", ("at ",)),
        ("no face", ("no ",)),
    ],
)
def test_what_may_be_a_part_of_a_number_or_an_address_is_not_looked_for_in_kinds(
    text: str, parts: tuple[str, ...]
) -> None:
    assert kind_search(text) == KindSearch(parts=parts, is_exact=parts == (text,))
