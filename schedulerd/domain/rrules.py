"""Recurrence rules (RFC 5545), read by dateutil. The only door to it."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from schedulerd.domain.schedules import RRule
from schedulerd.domain.zones import Pass


def check(when: RRule) -> None:
    """Raise `BadExpression` for a rule that cannot be read, has a COUNT, or never fires."""
    raise NotImplementedError


def passes(when: RRule, local: ZoneInfo, *, after: datetime, first_seen: datetime) -> Iterator[Pass]:
    """The times strictly after `after`, ascending."""
    raise NotImplementedError
