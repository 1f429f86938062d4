"""Lines of a log as HTML. Five hundred of them are made for each page, so this is text, not a template."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from schedulerd.domain.logs import NumberedLine, Stream, level_name
from schedulerd.web.ansi import PLAIN, Piece, Style, is_plain, pieces, visible
from schedulerd.web.preferences import Preferences

LONGEST: Final = 8 * 1024
"""Of a longer line so much is shown; the rest is in the raw log."""

_LETTERS: Final = {"debug": "d", "info": "i", "warning": "w", "error": "e", "critical": "c"}


class LineMaker:
    """Makes `<li>` elements, for the page of the log: the number of a line is a link to it there.

    `needle` is marked wherever it stands, whatever its letter case. `whole` shows all of long lines.
    """

    def __init__(
        self, *, preferences: Preferences, needle: str = "", whole: bool = False, more: str = "…"
    ) -> None:
        self._zone: Final = preferences.zone
        self._needle: Final = needle.casefold()
        self._whole: Final = whole
        self._more: Final = more

    def lines(self, lines: Iterable[NumberedLine]) -> Markup:
        """All of them, in order."""
        return Markup("\n".join([self._line(one) for one in lines]))

    def _line(self, numbered: NumberedLine) -> str:
        line, n = numbered.line, numbered.number
        at = line.at.astimezone(self._zone)
        return (
            f'<li id="L{n}" data-l="{_LETTERS[level_name(line.level)]}"{_streamed(line.stream)}>'
            f'<a class="n" href="?line={n}#L{n}">{n}</a>'
            f'<span class="at">{at:%H:%M:%S}.{at.microsecond // 1000:03d}</span>'
            f'<span class="said">{self._from(numbered)}{self._said(line.message, n)}</span></li>'
        )

    def _from(self, numbered: NumberedLine) -> Markup:
        """Which task said it."""
        name = numbered.task_name or numbered.child_name
        return Markup("") if not name else Markup('<span class="from">{}</span>').format(name)

    def _said(self, message: str, number: int) -> Markup:
        cut = len(message) > LONGEST and not self._whole
        if not cut and not self._needle and is_plain(message):  # as most are
            return escape(message)
        found = pieces(message[:LONGEST] if cut else message)
        shown = Markup("").join(_piece(one) for one in self._marked(found))
        if not cut:
            return shown
        return shown + Markup('<a class="more" href="?line={}&whole=1#L{}">{}</a>').format(
            number, number, self._more
        )

    def _marked(self, found: Sequence[Piece]) -> Iterable[Piece]:
        if not self._needle:
            return found
        text = visible(found).casefold()
        starts = list(_starts(text, self._needle))
        return _split(found, [(start, start + len(self._needle)) for start in starts]) if starts else found


def _streamed(stream: Stream) -> str:
    return ' data-s="stderr"' if stream is Stream.STDERR else ""


def _starts(text: str, needle: str) -> Iterable[int]:
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + len(needle))


class _Hit(Piece):
    """A piece that was looked for."""


def _split(found: Sequence[Piece], hits: Sequence[tuple[int, int]]) -> Iterable[Piece]:
    """The pieces, cut where a hit begins and ends."""
    edges = sorted({edge for hit in hits for edge in hit})
    at = 0
    for piece in found:
        end = at + len(piece.text)
        cuts = [at, *(edge for edge in edges if at < edge < end), end]
        for start, stop in pairwise(cuts):
            kind = _Hit if any(first <= start < last for first, last in hits) else Piece
            yield kind(text=piece.text[start - at : stop - at], style=piece.style)
        at = end


def _piece(piece: Piece) -> Markup:
    text = escape(piece.text)
    if isinstance(piece, _Hit):
        text = Markup("<mark>{}</mark>").format(text)
    return text if piece.style == PLAIN else _styled(text, piece.style)


def _styled(text: Markup, style: Style) -> Markup:
    if style.classes:
        text = Markup('<span class="{}">{}</span>').format(style.classes, text)
    if style.href:
        text = Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(style.href, text)
    return text
