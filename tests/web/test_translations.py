"""The Korean of the pages is complete and compiled, says what the English says, and needs no guess at particles."""

import re
import unicodedata
from collections.abc import Iterator

import pytest

from docs import messages

_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*(?:!r)?(?::[^}]*)?\}|%%|<[^>]+>")
# Which form a particle takes depends on the last sound of what comes before: nobody knows that of a placeholder.
_PARTICLE = re.compile(
    r"(?:%\(\w+\)[a-z]|\{\w*(?:!r)?(?::[^}]*)?\})(?:을|를|이|가|은|는|과|와|으로|로|아|야|이나|나)(?![가-힣])"
)


def texts() -> Iterator[tuple[str, str]]:
    """Each English text and its Korean."""
    for message in messages.written():
        if message.id:
            english = message.id if isinstance(message.id, str) else message.id[-1]
            yield english, messages.strings(message)[-1]


def test_the_catalog_has_what_the_pages_say_and_nothing_else() -> None:
    now, then = messages.as_po(messages.updated()).decode(), messages.path(".po").read_text()

    assert now == then, "run `make messages`, and translate what is new"


def test_every_text_is_translated() -> None:
    assert messages.untranslated(messages.updated()) == []


def test_what_is_compiled_is_what_is_written() -> None:
    assert messages.path(".mo").read_bytes() == messages.as_mo(messages.written()), "run `make messages`"


def test_placeholders_and_marks_are_the_same_in_both_languages() -> None:
    different = [
        (english, korean)
        for english, korean in texts()
        if sorted(_PLACEHOLDER.findall(english)) != sorted(_PLACEHOLDER.findall(korean))
    ]

    assert different == []


def test_no_particle_follows_what_is_filled_in() -> None:
    assert [korean for _, korean in texts() if _PARTICLE.search(korean)] == []


def test_korean_is_written_in_whole_syllables() -> None:
    assert [korean for _, korean in texts() if not unicodedata.is_normalized("NFC", korean)] == []


@pytest.mark.parametrize(
    ("text", "is_bad"),
    [("%(name)s을 실행", True), ("플로우 실행: %(name)s", False), ("{count}개가 바뀌었습니다", False)],
)
def test_particles_are_found(text: str, is_bad: bool) -> None:
    assert bool(_PARTICLE.search(text)) is is_bad
