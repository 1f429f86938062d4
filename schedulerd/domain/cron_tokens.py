"""The tokens of a cron expression: which are allowed in which field, and how they are spelled for croniter."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from schedulerd.errors import BadExpression
from schedulerd.sentences import said


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Field:
    """A field of an expression: its name, its smallest and largest value, and names for values. There is one of each."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.high - self.low + 1

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        names = f", {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.low}-{7 if self.is_weekday else self.high}{names}"

    @property
    def is_weekday(self) -> bool:
        """Is it the field in which 7 is another spelling of 0?"""
        return self.low == 0 and self.high == 6


MINUTE: Final = Field(name="minute", low=0, high=59)
HOUR: Final = Field(name="hour", low=0, high=23)
DAY: Final = Field(name="day of month", low=1, high=31)
MONTH: Final = Field(
    name="month",
    low=1,
    high=12,
    names=("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
)
WEEKDAY: Final = Field(
    name="day of week", low=0, high=6, names=("sun", "mon", "tue", "wed", "thu", "fri", "sat")
)
SECOND: Final = Field(name="second", low=0, high=59)
YEAR: Final = Field(name="year", low=1970, high=2099)

FIELDS: Final = (MINUTE, HOUR, DAY, MONTH, WEEKDAY, SECOND, YEAR)
"""All of them, in croniter's order."""

LAST_HASHED_DAY: Final = 28
"""`H` as a day of the month means a day that every month has."""

_DIGITS: Final = re.compile(r"[0-9]{1,4}")
_HASHED: Final = re.compile(r"h(?:\(([0-9]{1,4})-([0-9]{1,4})\))?(?:/([0-9]{1,4}))?")
_NEAREST: Final = re.compile(r"([0-9]{1,2})w|w([0-9]{1,2})")
_LAST_WEEKDAY: Final = re.compile(r"l([0-9a-z]+)|([0-9a-z]+)l")
_COUNTED: Final = re.compile(r"([^#]*)#([^#]*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A field as written, or one item of its list, and its place in the expression."""

    field: Field
    text: str
    start: int
    expression: str

    @property
    def is_every(self) -> bool:
        """Does it say nothing but "any"?"""
        return self.text in ("*", "?")

    @property
    def begins_with_star(self) -> bool:
        """Does it not restrict, in Debian cron's sense?"""
        return self.text.startswith(("*", "?"))

    @property
    def counts_in_month(self) -> bool:
        """Is it counted within the month: `15W`, or `5#2` and `L5`?"""
        text = self.text.lower()
        return (self.field is DAY and "w" in text) or (
            self.field is WEEKDAY and any("#" in item or "l" in item for item in text.split(","))
        )

    def items(self) -> list["Token"]:
        """The members of the list that it is, each with its own place."""
        found, start = [], self.start
        for text in self.text.split(","):
            found.append(Token(field=self.field, text=text, start=start, expression=self.expression))
            start += len(text) + 1
        return found

    def refuse(self, reason: str, *, code: str = "value") -> BadExpression:
        """The error that says so at this token's place. An alias's tokens are not wrong, so places are those written."""
        return BadExpression(
            said("{field}: {reason}", field=said(self.field.name), reason=reason),
            expression=self.expression,
            start=self.start,
            end=self.start + max(1, len(self.text)),
            code=code,
        )


def respelled(token: Token) -> str:
    """The field as croniter is to be given it, or `BadExpression`: what we mean by it, without its lies."""
    try:
        return _spelled(token.field, token.text)
    except BadExpression:
        return _respelled(token)  # so that what is raised has the place in the whole expression


@lru_cache(maxsize=2_048)
def _spelled(field: Field, text: str) -> str:
    """The same texts stand in very many expressions."""
    return _respelled(Token(field=field, text=text, start=0, expression=text))


def _respelled(token: Token) -> str:
    text = token.text.lower()
    if token.is_every:
        return _every(token)
    if text.startswith("h"):
        return _hashed(token)
    if token.field is DAY and "w" in text:
        return _nearest(token)
    items = [_item(item) for item in token.items()]
    if token.counts_in_month and not all("#" in item or "l" in item for item in items):
        raise token.refuse(said("# and L cannot be in one list with plain weekdays"), code="days")
    return ",".join(items)


def _every(token: Token) -> str:
    if token.text == "?" and token.field not in (DAY, WEEKDAY):
        raise token.refuse(said("? is for the day fields; write *"))
    return "*"


def _hashed(token: Token) -> str:
    """`H`, `H(0-29)`, `H/15`, `H(0-29)/10`: croniter hashes them by the schedule's name."""
    found = _HASHED.fullmatch(token.text.lower())
    if found is None or token.field is YEAR:
        raise token.refuse(said("H stands alone, as H, H(0-29), H/15 or H(0-29)/10"), code="hash")
    low, high, step = found.groups()
    first = int(low) if low else token.field.low
    last = int(high) if high else (LAST_HASHED_DAY if token.field is DAY else token.field.high)
    if not token.field.low <= first < last <= token.field.high:
        raise token.refuse(
            said(
                "the range of H must ascend within {low}-{high}", low=token.field.low, high=token.field.high
            ),
            code="range",
        )
    spelled = f"h({first}-{last})"
    return f"{spelled}/{_step(step, token)}" if step else spelled


def _nearest(token: Token) -> str:
    found = _NEAREST.fullmatch(token.text.lower())
    day = int(found.group(1) or found.group(2)) if found else 0
    if not 1 <= day <= token.field.high:
        raise token.refuse(said("W stands alone after a day, as in 15W (the weekday nearest to the 15th)"))
    return f"{day}w"


def _item(item: Token) -> str:
    """One member of a list, checked and respelled."""
    text = item.text.lower()
    if not text:
        raise item.refuse(said("a value is missing beside a comma"))
    if item.field is DAY and text == "l":
        return "l"
    if item.field is WEEKDAY and "#" in text:
        return _counted(item)
    if item.field is WEEKDAY and (found := _LAST_WEEKDAY.fullmatch(text)):
        return f"l{_value(found.group(1) or found.group(2), item) % 7}"
    values, slash, step = text.partition("/")
    stride = _step(step, item) if slash else None
    if values == "*":
        return "*" if stride is None else f"*/{stride}"
    low, dash, high = values.partition("-")
    first = _value(low, item)
    if not dash or low == high:  # croniter would read `4-4` as the whole field
        return _open_range(first, None if dash else stride, item)
    return _range(first, _value(high, item, ends_range=True), stride, item)


def _counted(item: Token) -> str:
    found = _COUNTED.fullmatch(item.text.lower())
    if found is None or found.group(2) not in ("1", "2", "3", "4", "5"):
        raise item.refuse(said("after # comes a number from 1 to 5, as in 5#2 (the second Friday)"))
    return f"{_value(found.group(1), item) % 7}#{found.group(2)}"


def _open_range(first: int, step: int | None, item: Token) -> str:
    """A single value, or from it to the end of the field in steps."""
    if item.field.is_weekday:
        first %= 7
    return f"{first}" if step is None else f"{first}/{step}"


def _range(first: int, last: int, step: int | None, item: Token) -> str:
    if first > last:
        raise item.refuse(
            said("the range runs backwards; write {turned}", turned=_turned(item)), code="range"
        )
    if first == last or last == 7:  # croniter would read the whole field, or a range that runs backwards
        return ",".join(
            f"{value % 7 if item.field.is_weekday else value}" for value in range(first, last + 1, step or 1)
        )
    return f"{first}-{last}" if step is None else f"{first}-{last}/{step}"


def _turned(item: Token) -> str:
    """What may have been meant by a range that runs backwards: `22-2` is two ranges."""
    values = item.text.partition("/")[0]
    low, _, high = values.partition("-")
    if item.field.is_weekday and low == "7":  # Sunday is the first day as well
        return f"{item.field.low}-{high}"
    upper = low if low == str(item.field.high) else f"{low}-{item.field.high}"
    lower = high if high == str(item.field.low) else f"{item.field.low}-{high}"
    return f"{upper},{lower}"


def _step(step: str, item: Token) -> int:
    if _DIGITS.fullmatch(step) is None or not 1 <= int(step) <= item.field.size:
        raise item.refuse(said("after / comes a step from 1 to {size}", size=item.field.size), code="step")
    return int(step)


def _value(text: str, item: Token, *, ends_range: bool = False) -> int:
    """The number that a number or a name stands for. Sunday at the end of a range is 7: `fri-sun`."""
    if text in item.field.names:
        value = item.field.names.index(text) + item.field.low
        return 7 if ends_range and item.field.is_weekday and value == 0 else value
    high = 7 if item.field.is_weekday else item.field.high
    if _DIGITS.fullmatch(text) is None or not item.field.low <= int(text) <= high:
        raise item.refuse(
            said("{value!r} is not one of {allowed}", value=text or "nothing", allowed=item.field.allowed)
        )
    return int(text)
