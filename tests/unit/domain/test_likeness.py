"""What is typed finds what is meant: also by initial consonants, and however letters are composed."""

from typing import Literal
from unicodedata import normalize

import pytest

from schedulerd.domain.likeness import Likeness, typed


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("etl", "etl", Likeness.SAME),
        ("ETL", "etl", Likeness.SAME),
        ("et", "etl", Likeness.BEGINS),
        ("", "etl", Likeness.BEGINS),
        ("close", "billing.close", Likeness.WORD_BEGINS),
        ("lose", "billing.close", Likeness.WITHIN),
        ("close bill", "billing.close", Likeness.BEGINS),
        ("close ship", "billing.close", Likeness.NONE),
        ("[a-z]", "etl", Likeness.NONE),
        ("배치", "배치", Likeness.SAME),
        ("ㅂㅊ", "배치", Likeness.BEGINS),
        ("ㅂㅊ", "야간-배치", Likeness.WORD_BEGINS),
        ("ㅊ", "배치", Likeness.WITHIN),
        ("배ㅊ", "배치", Likeness.BEGINS),
        ("ㅂㅊ", "바다", Likeness.NONE),
        ("ㅃ", "배치", Likeness.NONE),
        ("ㅎ", "힣", Likeness.BEGINS),
        ("ㅂㅊ", "ㅂㅊ", Likeness.SAME),
        ("바ㅊ", "배치", Likeness.NONE),
        ("straße", "STRASSE", Likeness.SAME),
    ],
)
def test_how_like_a_name_is(text: str, name: str, expected: Likeness) -> None:
    assert typed(text).likeness(name) is expected


@pytest.mark.parametrize("how", ["NFC", "NFD"])
@pytest.mark.parametrize("kept", ["NFC", "NFD"])
def test_a_name_is_found_however_its_letters_are_composed(
    how: Literal["NFC", "NFD"], kept: Literal["NFC", "NFD"]
) -> None:
    assert typed(normalize(how, "일일 정산")).likeness(normalize(kept, "정산-일일-é")) is Likeness.BEGINS
    assert typed(normalize(how, "é")).likeness(normalize(kept, "é")) is Likeness.SAME
