"""Tables for people: aligned by the width that a terminal gives each character."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import click

from schedulerd.widths import display_width

GAP: Final = "  "
_NARROWEST: Final = 8
_WIDEST: Final = 60
# What a terminal would obey: C0 but for the tab, DEL, C1, and what turns the direction of the text around.
_OBEYED: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Cell(NamedTuple):
    """A text and, perhaps, its colour."""

    text: str
    color: str | None = None


def visible(text: str) -> str:
    """The text with control characters shown instead of obeyed."""
    return _OBEYED.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def some(names: Sequence[str], *, most: int) -> str:
    """The first of the names, and how many more there are."""
    more = [f"and {len(names) - most:,} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def shortened(text: str, width: int) -> str:
    """The text, cut to this width with an ellipsis where it is longer."""
    if display_width(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += display_width(character)
        if used > width - 1:
            break
        kept += character
    return f"{kept}…"


def wrapped(text: str, width: int | None) -> list[str]:
    """The text in lines of at most this width, broken between words; a word that is wider stands alone."""
    lines: list[str] = []
    for word in text.split():
        if lines and (width is None or display_width(lines[-1]) + 1 + display_width(word) <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def draw(
    titles: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    flexible: Sequence[bool],
    right: Sequence[bool],
    width: int | None,
) -> list[str]:
    """The lines of a table. Columns that are empty throughout are left out; nothing is cut where `width` is None.

    Where it is given, a long name must not push the other columns out of sight: only flexible ones may be wide.
    """
    rows = [[Cell(visible(cell.text), cell.color) for cell in row] for row in rows]
    kept = [number for number in range(len(titles)) if any(row[number].text for row in rows)]
    table = [[Cell(titles[number], "bright_black") for number in kept]]
    table += [[row[number] for number in kept] for row in rows]
    widths = [max(display_width(row[number].text) for row in table) for number in range(len(kept))]
    if width is not None:
        widths = [
            most if flexible[number] else min(most, _WIDEST)
            for number, most in zip(kept, widths, strict=True)
        ]
        _give_way(widths, [flexible[number] for number in kept], width)
    aligned_right = [right[number] for number in kept]
    return [_line(row, widths, aligned_right) for row in table]


def _give_way(widths: list[int], flexible: Sequence[bool], width: int) -> None:
    """Narrow the flexible columns, the widest first, until the table fits or they are as narrow as can be."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    numbers = [number for number in range(len(widths)) if flexible[number]]
    while excess > 0 and (widest := max(numbers, key=widths.__getitem__, default=None)) is not None:
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1
        excess -= 1


def _line(row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for cell, width, is_right in zip(row, widths, right, strict=True):
        text = shortened(cell.text, width)
        padding = " " * (width - display_width(text))
        colored = click.style(text, fg=cell.color) if cell.color and text else text
        parts.append(padding + colored if is_right else colored + padding)
    return GAP.join(parts).rstrip()
