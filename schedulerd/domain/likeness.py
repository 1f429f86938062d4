"""Is a name like what somebody types? Of Hangul the initial consonants will do: `ㅂㅊ` is like 배치. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from unicodedata import normalize

_FIRST_SYLLABLE: Final = 0xAC00
_SYLLABLES_OF_INITIAL: Final = 588
_FIRST_INITIAL: Final = 0x1100
_INITIALS: Final = 19


class Likeness(IntEnum):
    """How like it is, the nearest first."""

    SAME = 0
    BEGINS = 1
    WORD_BEGINS = 2
    WITHIN = 3
    NONE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What somebody types, word by word; without any word everything is like it."""

    text: str
    words: tuple[re.Pattern[str], ...]

    def likeness(self, name: str) -> Likeness:
        """How like the name is: each word has to be in it, whatever the letter case and however letters are composed."""
        folded = _folded(name)
        places = [word.search(folded) for word in self.words]
        if not all(places):
            return Likeness.NONE
        if folded == self.text:
            return Likeness.SAME
        first = min((found.start() for found in places if found), default=0)
        if first == 0:
            return Likeness.BEGINS
        return Likeness.WITHIN if folded[first - 1].isalnum() else Likeness.WORD_BEGINS


def typed(text: str) -> Typed:
    """What is typed, as it is compared."""
    folded = " ".join(_folded(text).split())
    return Typed(text=folded, words=tuple(re.compile("".join(_pattern(word))) for word in folded.split()))


def _folded(text: str) -> str:
    """Composed alike, small letters, and consonants that stand alone as those that begin a syllable."""
    return text.lower() if text.isascii() else normalize("NFKC", text).casefold()


def _pattern(word: str) -> Iterator[str]:
    """A consonant is also each syllable that begins with it."""
    for letter in word:
        initial = ord(letter) - _FIRST_INITIAL
        if 0 <= initial < _INITIALS:
            first = _FIRST_SYLLABLE + initial * _SYLLABLES_OF_INITIAL
            yield f"[{letter}{chr(first)}-{chr(first + _SYLLABLES_OF_INITIAL - 1)}]"
        else:
            yield re.escape(letter)
