"""`# schedulerd: name=nightly-dump overlap=skip`: what a crontab says to us alone, in a comment above a command. Pure."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schedulerd.domain.entries import HIGHEST
from schedulerd.domain.limit_values import LIMIT_KEYS
from schedulerd.domain.names import did_you_mean
from schedulerd.domain.pools import POOL_NAME, PRIORITY_RANGE, is_pool_name, is_priority
from schedulerd.domain.schedule_values import MAX_NAME_CHARACTERS, is_name
from schedulerd.domain.schedules import Catchup, Overlap
from schedulerd.errors import BadExpression

_DIRECTIVE: Final = re.compile(r"#+\s*schedulerd:\s*(?P<words>.*)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Directive:
    """What is said of the command below: its name, policies that replace cron's, and the places that its runs take."""

    number: int
    name: str | None = None
    policies: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


def read_directive(comment: str, number: int) -> Directive | None:
    """The directive that a comment on this line is, None for any other. Raises `BadExpression` for one that is wrong."""
    found = _DIRECTIVE.fullmatch(comment)
    if found is None:
        return None
    try:
        words = shlex.split(found["words"])
    except ValueError as error:
        raise BadExpression(f"{error}".lower(), expression=comment, start=found.start("words")) from error
    given = dict(_pair(word, comment) for word in words)
    if not given:
        reason = f"it says nothing; it may give {', '.join(_READ)}, as in name=nightly-dump"
        raise BadExpression(reason, expression=comment)
    limits: dict[str, Any] = {key: given.pop(key) for key in LIMIT_KEYS if key in given}
    return Directive(number=number, name=given.pop("name", None), policies=given, limits=limits)


def _pair(word: str, comment: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    start = max(comment.find(word), 0)
    if not equals or key not in _READ:
        reason = f"{key!r} is not known here; {did_you_mean(key, _READ)}"
        raise BadExpression(reason, expression=comment, start=start, end=start + len(key))
    try:
        return key, _READ[key](value)
    except ValueError as error:
        raise BadExpression(
            f"{key}: {error}", expression=comment, start=start, end=start + len(word)
        ) from error


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(
            f"a name has 1 to {MAX_NAME_CHARACTERS} printable characters, with no blank at its ends"
        )
    return value


def _choice(kind: type[Catchup] | type[Overlap]) -> Callable[[str], Catchup | Overlap]:
    def read(value: str) -> Catchup | Overlap:
        if value not in list(kind):
            raise ValueError(f"{value!r} is not one of {', '.join(kind)}")
        return kind(value)

    return read


def _pool(value: str) -> str:
    if not is_pool_name(value):
        raise ValueError(f"{value!r} cannot be the name of a pool: it is {POOL_NAME}")
    return value


def _priority(value: str) -> int:
    if not is_priority(number := _number(value)):
        raise ValueError(f"it must be {PRIORITY_RANGE}")
    return number


def _count(value: str) -> int:
    if not 1 <= (number := _number(value)) <= HIGHEST:
        raise ValueError(f"it must be a whole number from 1 to {HIGHEST:,}")
    return number


def _number(value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a whole number") from error


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "name": _name,
    "overlap": _choice(Overlap),
    "catchup": _choice(Catchup),
    "pool": _pool,
    "priority": _priority,
    "max_running": _count,
}
