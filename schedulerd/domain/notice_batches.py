"""When the notices of a rule become a message: together, and not more often than its limit allows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.notices import NoticeRule

AN_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When the next message of a rule is made; `held` when its limit makes it later than it would be."""

    at: datetime
    held: bool = False


def next_message(rule: NoticeRule, *, oldest: datetime, made: Sequence[datetime], now: datetime) -> Moment:
    """When what waits since `oldest` is to be told, after the messages that were `made`: those of an hour before it
    must be among them.

    What lies in the future, because the clock was set back, keeps nothing waiting.
    """
    grouped = oldest + rule.group if oldest <= now else now
    known = sorted(moment for moment in made if moment <= now)
    held = len(known) >= rule.limit and known[-rule.limit] > grouped - AN_HOUR
    free = known[-rule.limit] + AN_HOUR if held else grouped
    return Moment(at=max(grouped, free), held=held)
