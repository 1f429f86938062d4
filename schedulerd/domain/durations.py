"""Durations as people write them: `15m`, `1h30m`, `2w`, `500ms`; and the same for showing."""

import re
from datetime import timedelta
from typing import Final

from schedulerd.errors import BadExpression
from schedulerd.sentences import said

UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
"""The units, the largest first."""

LONGEST: Final = timedelta(days=36_525)
_PART: Final = re.compile(
    r"([0-9]{1,12})(ms|[wdhms])(?![a-z]) *|([0-9]{1,12})(ms|[wdhms])(?=[0-9])", re.ASCII
)
_ALLOWED: Final = said(
    "a duration is written like 15m, 1h30m, 2w, 45s or 500ms (units w d h m s ms, in this order)"
)


def parse_duration(text: str) -> timedelta:
    """The duration that the text stands for, or `BadExpression` at the part that cannot be read."""
    whole = text.strip()
    start = len(text) - len(text.lstrip())
    total, at, order = timedelta(), 0, list(UNITS)
    while at < len(whole):
        part = _PART.match(whole, at)
        unit = (part.group(2) or part.group(4)) if part else ""
        if part is None or unit not in order:
            raise _refused(text, start + at, start + len(whole))
        total += _times(int(part.group(1) or part.group(3)), unit, text)
        order = order[order.index(unit) + 1 :]
        at = part.end()
    if not whole:
        raise _refused(text, 0, len(text))
    return total


def duration_text(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads as this duration, to the millisecond; `0s` for none."""
    rest, text = abs(duration), ""
    for name, unit in UNITS.items():
        number, rest = divmod(rest, unit)
        text += f"{number}{name}" if number else ""
    return f"{'-' if duration < timedelta() and text else ''}{text or '0s'}"


def _times(number: int, unit: str, text: str) -> timedelta:
    if number > LONGEST // UNITS[unit]:
        raise BadExpression(said("a duration is at most 100 years"), expression=text, code="duration")
    return number * UNITS[unit]


def _refused(text: str, start: int, end: int) -> BadExpression:
    return BadExpression(_ALLOWED, expression=text, start=start, end=end, code="duration")
