"""The text of a TOML file: its data, and on which line each key stands. Pure.

tomllib gives the data without places. The places come from a second walk over the text, which may rely on its being
valid, since tomllib has parsed it first.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from schedulerd.errors import BadDefinition

Path = tuple[str | int, ...]

_PART: Final = r'(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
_NAME: Final = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER: Final = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAME})[ \t]*\]")
_KEY: Final = re.compile(rf"[ \t]*({_NAME})[ \t]*=")
_PARTS: Final = re.compile(_PART)
# What may stand in a value and hide a bracket or a line end: the long strings first, they begin like the short ones.
_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'|"
    r"""#[^\n]*|[\[{]|[\]}]|\n|[^"'#\[\]{}\n,]+|.""",
    re.DOTALL,
)
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class TomlText:
    """A parsed TOML document. `lines` has the line of each table, table of an array, and key, by its path.

    Keys of an inline table have none of their own, but the inline tables of an array have.
    """

    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def line_of(self, *path: str | int) -> int | None:
        """The line of the key at `path`, or of the nearest thing around it that has one (inline tables have not)."""
        around = (path[:length] for length in range(len(path), 0, -1))
        return next((self.lines[part] for part in around if part in self.lines), None)


def parse_toml(text: str, *, file: str) -> TomlText:
    """Parse `text`; raise `BadDefinition` with the line where it is not TOML. `file` is only for the message."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of 5,000 digits gives a plain one
        raise _not_toml(str(error), text, file) from error
    except RecursionError as error:
        raise BadDefinition("not TOML: nested too deeply", file=file) from error
    return TomlText(data=data, lines=dict(_places(text.replace("\r\n", "\n"))))


def _not_toml(message: str, text: str, file: str) -> BadDefinition:
    place = _PLACE.search(message)
    if place is None:
        return BadDefinition(f"not TOML: {message}", file=file)
    line = int(place[1]) if place[1] else len(text.rstrip().splitlines()) or 1
    return BadDefinition(f"not TOML: {message[: place.start()]}", file=file, line=line)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    counts: dict[Path, int] = {}
    for line, start in _statements(text):
        if header := _HEADER.match(text, start):
            table = _resolved(_split(header[2]), counts, opens=header[1] == "[[")
            yield table, line
        elif key := _KEY.match(text, start):
            path = table + _split(key[1])
            # a dotted key makes its tables too: `web.port = 1` is also where `web` stands
            for length in range(len(table) + 1, len(path) + 1):
                yield path[:length], line
            if text.startswith("[", start := _after_blanks(text, key.end())):
                yield from _inline_tables(path, line, text, start)


def _after_blanks(text: str, start: int) -> int:
    while text.startswith((" ", "\t"), start):
        start += 1
    return start


def _inline_tables(path: Path, line: int, text: str, start: int) -> Iterator[tuple[Path, int]]:
    """The lines on which the tables in an array begin that stands at `start`."""
    index, depth = 0, 0
    for token in _TOKEN.finditer(text, start):
        line += token[0].count("\n")
        if token[0] == "{" and depth == 1:
            yield (*path, index), line
        elif token[0] == "," and depth == 1:
            index += 1
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """The line and the offset of each line that begins outside of strings, arrays and inline tables."""
    line, depth = 1, 0
    yield line, 0
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            yield line, token.end()


def _resolved(names: Path, counts: dict[Path, int], *, opens: bool) -> Path:
    """The path of a header: each array of tables on the way stands for its latest table."""
    path: Path = ()
    for index, name in enumerate(names):
        path += (name,)
        if opens and index == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


@lru_cache(maxsize=1_024)
def _split(name: str) -> Path:
    """Most entries have the same few keys."""
    return tuple(_unquoted(part) for part in _PARTS.findall(name))


def _unquoted(part: str) -> str:
    if part.startswith(("'", '"')):
        return str(tomllib.loads(f"it = {part}")["it"])  # its own escapes, read by its own parser
    return part
