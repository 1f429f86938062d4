"""How many cells of a terminal a text takes."""

import unicodedata


def display_width(text: str) -> int:
    """Hangul and most emoji take two cells, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
