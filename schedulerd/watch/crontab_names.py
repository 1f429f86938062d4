"""What the schedules of a crontab are called: after the file and the command, so that the history has a name. Pure.

A name depends on its own line only. Where a command stands more than once the later ones are numbered, from the top.
"""

import re
from collections.abc import Iterator
from typing import Final

LONGEST_SLUG: Final = 40

_ENDS_COMMAND: Final = re.compile(r"[;&|<>()\n]|\b[0-9]+(?=[<>])")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=\S*")
_NOT_IN_NAMES: Final = re.compile(r"[^\w.]+")
# They only lead to what is run.
_LEADING: Final = frozenset({"cd", "test", "[", "[[", "!", "{", "if", "then", "exec"})


class Names:
    """Hands out the names of one crontab, each once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._taken: set[str] = set()
        self._last_number: dict[str, int] = {}

    def of_command(self, command: str) -> str:
        """The name that a line with this command has, with a number where it is taken."""
        wanted = f"{self._prefix}:{slug(command)}"
        name, number = wanted, self._last_number.get(wanted, 1)
        while name in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._last_number[wanted] = number
        self._taken.add(name)
        return name

    def take(self, name: str) -> bool:
        """Take a name that somebody chose; False where it is taken."""
        is_free = name not in self._taken
        self._taken.add(name)
        return is_free


def slug(command: str) -> str:
    """The first program of a command that does something, and its words, as part of a name: `backup.sh-full`."""
    parts = [_words(part) for part in _ENDS_COMMAND.split(command)]
    told = [words for words in parts if words]
    chosen = next((words for words in told if words[0] not in _LEADING), told[0] if told else [])
    text = "-".join(filter(None, map(_as_slug, _without_leading(chosen))))
    return _cut(text) or "command"


def _words(part: str) -> list[str]:
    words = part.split()
    while words and _ASSIGNMENT.fullmatch(words[0]):
        del words[0]
    return words


def _without_leading(words: list[str]) -> Iterator[str]:
    return (word for number, word in enumerate(words) if number or word not in _LEADING)


def _as_slug(word: str) -> str:
    """A word without its folders and without what a name should not have."""
    last = word.strip("'\"").rstrip("/").rpartition("/")[2]
    return _NOT_IN_NAMES.sub("-", last).strip("-._")


def _cut(text: str) -> str:
    """So much of it as is short enough, whole words where that leaves enough."""
    if len(text) <= LONGEST_SLUG:
        return text
    whole = text[: LONGEST_SLUG + 1].rpartition("-")[0]
    return whole if len(whole) >= LONGEST_SLUG // 2 else text[:LONGEST_SLUG]
