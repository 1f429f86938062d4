"""A table that people write, asked key by key; every complaint names its key and says what may stand there. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.durations import LONGEST, parse_duration
from schedulerd.domain.names import did_you_mean
from schedulerd.errors import BadExpression
from schedulerd.sentences import joined, said

Path = tuple[str | int, ...]
T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

HIGHEST: Final = 10_000
"""No count in a file is higher."""

_NO_TIME: Final = timedelta()


class BadEntry(Exception):
    """What is wrong with a table; `path` leads to the key, and is empty for the table as a whole."""

    def __init__(self, reason: str, *, path: Path = (), mend: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.mend = mend


class Entry:
    """One table: values as TOML or JSON has them, where a duration may also be a `timedelta`.

    `path` is where it stands in the table around it, and `place` says so in words, in front of each complaint.
    """

    def __init__(self, values: Any, *, path: Path = (), place: str = "") -> None:
        self.values: Mapping[str, Any] = values if isinstance(values, dict) else {}
        self._path = path
        self._place = place

    def has(self, key: str) -> bool:
        """Is the key given?"""
        return key in self.values

    def given(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that it has, in the order in which they were written."""
        wanted = frozenset(keys)
        return [key for key in self.values if key in wanted]

    def wrong(self, key: str | None, reason: str, *, mend: str = "") -> BadEntry:
        """The error to raise for a key; for the table as a whole without one."""
        return BadEntry(
            joined("", (self._place, reason)) if self._place else reason,
            path=(*self._path, *([key] if key else [])),
            mend=mend,
        )

    def bad_expression(self, key: str, error: BadExpression) -> BadEntry:
        """The error to raise for an expression, with a caret under the token that is wrong."""
        return self.wrong(
            key,
            joined("", (f"`{key}`: ", _without_key(error.reason, key), "\n", error.caret())),
        )

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise for the first key that is not known."""
        known = tuple(known)
        for key in self.values:
            if key not in known:
                raise self.wrong(
                    key,
                    said(
                        "unknown key {key!r}; {did_you_mean}", key=key, did_you_mean=did_you_mean(key, known)
                    ),
                )

    def text(self, key: str, default: str = "") -> str:
        """A text with something in it."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, said("`{key}` must be text in quotes", key=key))
        if key in self.values and not value.strip():
            raise self.wrong(key, said("`{key}` is empty", key=key))
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, said("`{key}` must be true or false", key=key))
        return value

    def whole_number(self, key: str, default: int) -> int:
        """A whole number from 1 to `HIGHEST`."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= HIGHEST:
            raise self.wrong(
                key, said("`{key}` must be a whole number from 1 to {highest:,}", key=key, highest=HIGHEST)
            )
        return value

    def choice(self, key: str, default: Choice) -> Choice:
        """One of the members of the default's kind."""
        return self.one_of(key, type(default)) or default

    def one_of(self, key: str, kind: type[Choice]) -> Choice | None:
        """One of the members of `kind`, None where the key is not given."""
        if key not in self.values:
            return None
        known = [member.value for member in kind]
        if self.values[key] not in known:
            raise self.wrong(key, said("`{key}` must be one of {listed}", key=key, listed=", ".join(known)))
        return kind(self.values[key])

    def duration(self, key: str, default: timedelta = _NO_TIME) -> timedelta:
        """A duration of zero or more."""
        value = self.values.get(key, default)
        if isinstance(value, str):
            return self.expression(key, parse_duration)
        if not isinstance(value, timedelta):
            raise self.wrong(key, said('`{key}` must be a duration in quotes, such as "15m"', key=key))
        if not _NO_TIME <= value <= LONGEST:
            raise self.wrong(key, said("`{key}` must not be negative, nor longer than 100 years", key=key))
        return value

    def positive_duration(self, key: str) -> timedelta:
        """A duration of more than nothing."""
        value = self.duration(key)
        if not value:
            raise self.wrong(key, said("`{key}` must be longer than nothing", key=key))
        return value

    def expression(self, key: str, parse: Callable[[str], T]) -> T:
        """What `parse` makes of the text; its complaint is shown with a caret under the token."""
        text = self.text(key)
        try:
            return parse(text)
        except BadExpression as error:
            raise self.bad_expression(key, error) from error

    def moment(self, key: str) -> date:
        """A `date`, or a `datetime` that may have an offset: what was written, in a year in which schedules are due."""
        value = self.values[key]
        if isinstance(value, str):
            value = self._read_moment(key, value.strip())
        if not isinstance(value, date):
            raise self.wrong(
                key, said('`{key}` must be a date and time, such as "2026-12-01T09:00"', key=key)
            )
        self.check_year(key, value)
        return value

    def check_year(self, key: str, value: date) -> None:
        """Raise for a year in which no schedule is due."""
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise self.wrong(
                key,
                said(
                    "`{key}` must lie in the years {first_year} to {last_year}",
                    key=key,
                    first_year=FIRST_YEAR,
                    last_year=LAST_YEAR,
                ),
            )

    def local_moment(self, key: str) -> date:
        """A `date` or a `datetime`, in local time."""
        value = self.moment(key)
        if isinstance(value, datetime) and value.tzinfo is not None:
            raise self.wrong(
                key,
                said(
                    "`{key}` is a local time; leave its offset out and name the zone in `timezone`", key=key
                ),
            )
        return value

    def _read_moment(self, key: str, text: str) -> date:
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return read(text)
            except ValueError:
                continue
        raise self.wrong(
            key,
            said(
                '`{key}` is no date and time: {text!r}; write it like "2026-12-01T09:00"', key=key, text=text
            ),
        )


def _without_key(reason: str, key: str) -> str:
    """The reason, which may begin with the key."""
    return reason.removeprefix(f"{key}: ") if reason.startswith(f"{key}: ") else reason
