"""Moments as people type them: `2h` (ago, or ahead), `today`, `2026-11-01T09:00`, RFC 3339."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from schedulerd.errors import BadExpression
from schedulerd.sentences import said

_DURATION: Final = re.compile(r"\s*[0-9]+\s*[a-z]", re.ASCII)
_FORMS: Final = said("write 15m, 1d, 2w, now, today, yesterday, 2026-11-01, 2026-11-01T09:00 or RFC 3339")


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
        raise BadExpression(
            said("{text!r} is no time: {forms}", text=text, forms=_FORMS), expression=text, code="time"
        ) from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
