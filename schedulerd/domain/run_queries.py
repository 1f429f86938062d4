"""Which runs of the history are looked for, and where in the list of them one is."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Final
from unicodedata import normalize

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import RunState
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

_VERSION: Final = 1
_LONGEST: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class RunQuery:
    """Runs that fulfil all of this; what is empty or None does not narrow.

    Of `states`, `flows` (names, perhaps with `*`), `schedules`, `agents` and `triggers` a run has one; of `tags`, `errors`,
    `parameters` and `words` all. `since` and `until` compare with when it was recorded. `terms` are what a person wrote for
    it, whatever the moment.
    """

    states: frozenset[RunState] = frozenset()
    flows: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    triggers: frozenset[Trigger] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    at_least: timedelta | None = None
    at_most: timedelta | None = None
    errors: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same terms, whatever their order."""
        return sha256("\n".join(sorted(self.terms)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_pattern(name: str) -> bool:
    """May it stand for several names?"""
    return "*" in name


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Is it one of these names, in which `*` is anything? How a letter is composed makes no difference."""
    composed = normalize("NFC", name)
    return any(
        fnmatchcase(composed, normalize("NFC", pattern).replace("[", "[[]").replace("?", "[?]"))
        for pattern in patterns
    )


def cursor_at(query: RunQuery, run: RunKey) -> str:
    """The place of a run in the list of these runs, as text that fits into a URL."""
    place = {"v": _VERSION, "k": run, "f": query.fingerprint}
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read_cursor(query: RunQuery, cursor: str) -> RunKey:
    """The run at which it stands. Raises `BadExpression`: `cursor-mismatch` for one of other filters, else `cursor`."""
    place = _place(cursor)
    key = place.get("k")
    if place.get("v") != _VERSION or not isinstance(key, int):
        raise _not_ours(cursor)
    if place.get("f") != query.fingerprint:
        raise BadExpression(
            said("this cursor belongs to a list with other filters: begin that list anew, without a cursor"),
            expression=cursor,
            code="cursor-mismatch",
        )
    return RunKey(key)


def _place(cursor: str) -> dict[str, object]:
    if len(cursor) > _LONGEST:
        raise _not_ours(cursor)
    try:
        place = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise _not_ours(cursor) from error
    if not isinstance(place, dict):
        raise _not_ours(cursor)
    return place


def _not_ours(cursor: str) -> BadExpression:
    return BadExpression(
        said("this is no cursor: take the one that a list gave, as it is"), expression=cursor, code="cursor"
    )
