"""Times and durations as people read them."""

from datetime import datetime, tzinfo
from typing import Final

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


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
