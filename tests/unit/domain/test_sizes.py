"""Sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.sizes import UNITS, parse_size, size_text
from schedulerd.errors import BadExpression


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("64MB", 64_000_000),
        ("64 mb", 64_000_000),
        ("1.5GB", 1_500_000_000),
        ("512MiB", 512 * 2**20),
        ("0.001KB", 1),
    ],
)
def test_a_size_is_a_number_with_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "64", "MB", "-1MB", "1,5GB", "64MBit", "1e3MB", "1iB", "٣MB", "2000000000TB"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        parse_size(text)


@given(st.integers(0, 999_999), st.sampled_from(sorted(UNITS)))
def test_every_whole_number_of_a_unit_is_that_many_bytes(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * UNITS[unit]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1 KB"), (961_400_000, "961.4 MB"), (2 * 10**12, "2 TB")],
)
def test_a_size_is_shown_in_the_largest_unit_that_fits(size: int, text: str) -> None:
    assert size_text(size) == text
