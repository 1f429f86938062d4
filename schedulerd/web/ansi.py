"""What a terminal would make of a line, as pieces of text with classes. Nothing in a line is markup or is obeyed.

Of the control functions of ECMA-48 only SGR (colours, bold, ...) is kept, and OSC 8 (links) to http and https; the rest is
left out. A carriage return shows the last state of a line, with how many there were before; line ends stay (a traceback has
them), and other control characters become the signs for them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_SIGNS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_PLAIN: Final = re.compile(_SIGNS)
_CONTROL: Final = re.compile(
    r"\x1b\[(?P<given>[0-?]*)[ -/]*(?P<function>[@-~])"
    r"|\x1b\](?P<command>[^\x07\x1b]*)(?:\x07|\x1b\\|$)"
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"
    r"|\x1b[ -/]*[0-~]?"
    rf"|(?P<sign>{_SIGNS})",
    re.DOTALL,
)
_ON: Final = {1: "1", 2: "2", 3: "3", 4: "4", 9: "9"}
_OFF: Final = {22: "12", 23: "3", 24: "4", 29: "9"}
_LINK: Final = "8;"
# Where a colour is one of 256 or any: the nearest of the eight that both themes have.
_EIGHT: Final = (
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (229, 229, 229),
)
_LEVELS: Final = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """How text looks. `marks` are digits of SGR, `color` and `ground` one of eight."""

    marks: str = ""
    color: int | None = None
    ground: int | None = None
    href: str = ""

    @property
    def classes(self) -> str:
        """The names that the style sheet knows."""
        names = [f"a{mark}" for mark in self.marks]
        names += [] if self.color is None else [f"c{self.color}"]
        names += [] if self.ground is None else [f"b{self.ground}"]
        return " ".join(names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Text of one look."""

    text: str
    style: Style


PLAIN: Final = Style()


def pieces(line: str) -> list[Piece]:
    """The line, which may have line ends within, in pieces; none for an empty one."""
    states = [_last_state(one) for one in line.replace("\r\n", "\n").split("\n")]
    shown, updates = "\n".join(state for state, _ in states), sum(count for _, count in states)
    found = list(_pieces(shown)) if _PLAIN.search(shown) else [Piece(text=shown, style=PLAIN)]
    if updates:
        found.append(Piece(text=f" ×{updates}", style=Style(marks="2")))
    return [one for one in found if one.text]


def is_plain(line: str) -> bool:
    """Is it one piece, and just as it stands?"""
    return _PLAIN.search(line) is None


def visible(found: Iterable[Piece]) -> str:
    """The text that is seen."""
    return "".join(one.text for one in found)


def _last_state(line: str) -> tuple[str, int]:
    """What a carriage return leaves on the line, and how many states were written over."""
    if "\r" not in line:
        return line, 0
    states = [state for state in line.split("\r") if state]
    return (states[-1] if states else "", max(0, len(states) - 1))


def _pieces(line: str) -> Iterator[Piece]:
    style, done = PLAIN, 0
    for match in _CONTROL.finditer(line):
        yield Piece(text=line[done : match.start()], style=style)
        done = match.end()
        if match["sign"] is not None:
            yield Piece(text=_sign(match["sign"]), style=style)
        elif match["function"] == "m":
            style = _styled(style, _numbers(match["given"]))
        elif match["command"] is not None and match["command"].startswith(_LINK):
            style = replace(style, href=_href(match["command"]))
    yield Piece(text=line[done:], style=style)


def _sign(character: str) -> str:
    """U+2400 and on are the signs for C0; the C1 set has none."""
    code = ord(character)
    return "\u2421" if code == 0x7F else chr(0x2400 + code) if code < 0x20 else "\ufffd"


def _href(command: str) -> str:
    url = command.split(";", 2)[-1]
    return url if url.startswith(("https://", "http://")) else ""


def _numbers(given: str) -> list[int]:
    """The parameters of SGR; an empty one is 0, and what is no number is left out."""
    return [int(one or 0) for one in given.replace(":", ";").split(";") if one.isdecimal() or not one]


def _styled(style: Style, numbers: Sequence[int]) -> Style:
    left = list(numbers) or [0]
    while left:
        number = left.pop(0)
        if number in (38, 48):
            color = _extended(left)
            style = replace(style, color=color) if number == 38 else replace(style, ground=color)
        else:
            style = _simple(style, number)
    return style


def _simple(style: Style, number: int) -> Style:
    if number == 0:
        return replace(PLAIN, href=style.href)
    if number in _ON:
        return replace(style, marks="".join(sorted({*style.marks, _ON[number]})))
    if number in _OFF:
        return replace(style, marks="".join(one for one in style.marks if one not in _OFF[number]))
    tens, ones = divmod(number, 10)
    if tens in (3, 9) and (ones < 8 or number == 39):
        return replace(style, color=ones if ones < 8 else None)
    if tens in (4, 10) and (ones < 8 or number == 49):
        return replace(style, ground=ones if ones < 8 else None)
    return style


def _extended(left: list[int]) -> int | None:
    """Takes `5;n` or `2;r;g;b` off the front."""
    kind = left.pop(0) if left else 0
    if kind == 5 and left:
        return _of_256(left.pop(0))
    if kind == 2 and len(left) >= 3:
        red, green, blue = left[:3]
        del left[:3]
        return _nearest((red, green, blue))
    return None


def _of_256(number: int) -> int | None:
    if number < 16:
        return number % 8
    if number < 232:
        red, rest = divmod(number - 16, 36)
        green, blue = divmod(rest, 6)
        return _nearest((_LEVELS[red], _LEVELS[green], _LEVELS[blue]))
    if number < 256:
        return _nearest((8 + 10 * (number - 232),) * 3)
    return None


def _nearest(color: tuple[int, int, int]) -> int:
    def distance(index: int) -> int:
        return sum((one - other) ** 2 for one, other in zip(_EIGHT[index], color, strict=True))

    return min(range(8), key=distance)
