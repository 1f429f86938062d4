"""What is odd about one due time: what the clocks, the jitter and a blackout do to it."""

from collections.abc import Iterator
from datetime import datetime

from schedulerd.domain.caution_texts import Told, told
from schedulerd.domain.due import Due
from schedulerd.domain.durations import duration_text
from schedulerd.domain.intervals import is_calendar
from schedulerd.domain.schedules import Interval
from schedulerd.domain.timing import Timing
from schedulerd.domain.wording import Language
from schedulerd.domain.zones import fold_around, zone


def fire_notes(due: Due, timing: Timing, language: Language) -> Iterator[str]:
    """Each with its code: `dst-gap: 02:30 does not exist on this day`."""
    when = timing.definition.when
    meant = datetime.fromisoformat(due.slot)
    named_at, delay = timing.named_at(due), timing.delay(due)
    named = named_at.astimezone(zone(when.timezone))
    if not isinstance(when, Interval) or is_calendar(when):
        yield from _about_clocks(meant.replace(tzinfo=None), named, language)
    if due.at != named_at + delay:
        time = _time(meant, on=due.at.astimezone(meant.tzinfo))
        yield f"blackout: {told(Told.FIRES_AFTER_BLACKOUT, language, meant=time)}"
    elif delay:
        time = _time(named, on=named)
        yield f"jitter: {told(Told.FIRES_LATER, language, meant=time, delay=duration_text(delay))}"


def _about_clocks(meant: datetime, shown: datetime, language: Language) -> Iterator[str]:
    if meant != shown.replace(tzinfo=None):
        yield f"dst-gap: {told(Told.FIRES_AFTER_GAP, language, meant=f'{meant:%H:%M}')}"
    elif fold_around(shown.replace(fold=0)) is not None:
        which = Told.FIRES_AGAIN if shown.fold else Told.FIRES_FIRST
        yield f"dst-fold: {told(which, language, meant=f'{meant:%H:%M}')}"


def _time(moment: datetime, *, on: datetime) -> str:
    """The time of day, with its seconds where there are any, and with its day where that is another one."""
    day = "" if moment.date() == on.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M:%S}" if moment.second else f"{day}{moment:%H:%M}"
