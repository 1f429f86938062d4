"""Times and durations as people read and type them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from schedulerd.errors import BadExpression

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_DURATION: Final = re.compile(r"\s*[0-9]+\s*[a-z]", re.ASCII)
_FORMS: Final = "write 15m, 1d, 2w, now, today, yesterday, 2026-11-01, 2026-11-01T09:00 or RFC 3339"


def relative(at: datetime, *, now: datetime) -> str:
    """`12m ago`, `in 15h 23m`, `now`."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    rounded = int(abs(seconds))
    length = _two_units(rounded - rounded % 60 if rounded >= 600 else rounded)
    return f"in {length}" if seconds > 0 else f"{length} ago"


def _two_units(seconds: int) -> str:
    """The largest unit and, where there is some of it, the next smaller one."""
    for number, (unit, size) in enumerate(_UNITS):
        count, rest = divmod(seconds, size)
        if count:
            below, size_below = _UNITS[min(number + 1, len(_UNITS) - 1)]
            more = rest // size_below
            return f"{count}{unit}" + (f" {more}{below}" if more else "")
    return "0s"


def local(at: datetime, zone: tzinfo | None) -> str:
    """`Mon 2026-11-23 02:30:00 CET`, in the zone or else the machine's."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}"


def duration(milliseconds: int | None) -> str:
    """`340ms`, `2.4s`, `2m 10s`; empty for none."""
    if milliseconds is None:
        return ""
    if milliseconds < 1_000:
        return f"{milliseconds}ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f}s"
    return _two_units(milliseconds // 1_000)


def size(count: int | None) -> str:
    """`12 MiB`; empty for none."""
    if count is None:
        return ""
    return f"{count / (1 << 20):,.0f} MiB" if count >= 1 << 20 else f"{count / 1_024:,.0f} KiB"


def past_moment(text: str, *, now: datetime, zone: tzinfo | None) -> datetime:
    """What `--since` and `--until` mean: a duration is so long before `now`. Raises `BadExpression`.

    A time that names no zone is meant in `zone`, or else in the machine's.
    """
    return _moment(text, now=now, zone=zone, sign=-1)


def coming_moment(text: str, *, now: datetime, zone: tzinfo | None) -> datetime:
    """What `--at` means: a duration is so long after `now`; else as in `past_moment`."""
    return _moment(text, now=now, zone=zone, sign=1)


def _moment(text: str, *, now: datetime, zone: tzinfo | None, sign: int) -> datetime:
    """A moment in UTC. A naive one is a local time of the machine, whose offset in summer is not that of winter."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone)
    named = {
        "now": now,
        "today": midnight,
        "yesterday": midnight - timedelta(days=1),
        "tomorrow": midnight + timedelta(days=1),
    }
    word = text.strip().lower()
    if word in named:
        return named[word].astimezone(UTC)
    if _DURATION.match(word):
        from schedulerd.domain.durations import parse_duration  # few calls need it

        return (now + sign * parse_duration(word)).astimezone(UTC)
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadExpression(f"{text!r} is no time: {_FORMS}", expression=text, code="time") from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
