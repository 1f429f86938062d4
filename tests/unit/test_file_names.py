"""Names of files that are no text, and how they are told."""

import os

import pytest

from schedulerd.errors import BadDefinition, NotFound, SchedulerdError
from schedulerd.file_names import as_text, is_text
from schedulerd.sentences import Sentence


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (b"etl.py", "etl.py"),
        ("보고서.py".encode(), "보고서.py"),
        (b"caf\xe9.py", r"caf\xe9.py"),
        (b"\xea\xb0", r"\xea\xb0"),
        (b"/a\xff/b\x80.py", r"/a\xff/b\x80.py"),
    ],
)
def test_a_name_is_told_as_it_is_or_with_escapes_for_what_is_no_text(name: bytes, told: str) -> None:
    assert as_text(os.fsdecode(name)) == told
    assert is_text(os.fsdecode(name)) == (name.decode(errors="replace") == told)


def test_half_a_pair_that_is_of_no_byte_is_told_too() -> None:
    assert as_text("\ud800") == r"\ud800"


def test_words_of_an_error_can_be_written_whatever_is_called_so() -> None:
    error = BadDefinition("leads to /caf\udce9", file="/x/caf\udce9.py", mend="rm /caf\udce9")

    told = f"{error} {error.message} {error.reason} {error.file} {error.mend}"

    assert told.encode().decode() == told
    assert error.file == r"/x/caf\xe9.py"
    assert str(SchedulerdError("caf\udce9")) == r"caf\xe9"


def test_an_error_whose_words_are_text_can_be_said_in_another_language() -> None:
    assert isinstance(NotFound("flow", "보고서").message, Sentence)
