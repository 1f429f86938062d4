"""Times and durations as pages show them: right for the reader's zone and language before any script runs."""

from datetime import UTC, datetime, timedelta
from typing import Final

from markupsafe import Markup, escape

from schedulerd.domain.wording import Language
from schedulerd.web.preferences import Preferences

_SECOND: Final = timedelta(seconds=1)
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_LETTERS: Final = {
    "en": {"d": "d", "h": "h", "m": "m", "s": "s", "ms": " ms"},
    "ko": {"d": "일", "h": "시간", "m": "분", "s": "초", "ms": "ms"},
}


def moment_text(moment: datetime, preferences: Preferences, *, now: datetime) -> str:
    """`2026-11-22 19:07:31`; without the date where it is the reader's today."""
    local = moment.astimezone(preferences.zone)
    is_today = local.date() == now.astimezone(preferences.zone).date()
    return local.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")


def moment_markup(moment: datetime | None, preferences: Preferences, *, now: datetime) -> Markup:
    """A `<time>` whose text is local and whose tooltip says the zone and UTC; a script adds how long ago that is."""
    if moment is None:
        return Markup('<span class="none">–</span>')
    local, utc = moment.astimezone(preferences.zone), moment.astimezone(UTC)
    title = f"{local:%Y-%m-%d %H:%M:%S %Z} ({preferences.zone.key}) · {utc:%Y-%m-%d %H:%M:%S} UTC"
    text = moment_text(moment, preferences, now=now)
    stamp = utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # Not by `Markup.format`: a page has a hundred of these, and that takes most of the time of one.
    return Markup(f'<time datetime="{stamp}" title="{escape(title)}" data-ago>{text}</time>')


def duration_text(duration: timedelta | None, language: Language) -> str:
    """The two largest units, `3m 12s`; below ten seconds with a fraction, below one in milliseconds."""
    if duration is None:
        return ""
    letters = _LETTERS[language]
    if duration < _SECOND:
        return f"{duration // timedelta(milliseconds=1)}{letters['ms']}"
    if duration < 10 * _SECOND:
        return f"{duration / _SECOND:.1f}{letters['s']}"
    left, parts = duration // _SECOND, list[str]()
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count}{letters[unit]}")
    return " ".join(parts[:2])


def duration_markup(
    duration: timedelta | None, language: Language, *, since: datetime | None = None
) -> Markup:
    """The text; with `since` of something that goes on, which a script counts on."""
    text = duration_text(duration, language)
    if since is None:
        return escape(text)
    return Markup('<span data-since="{}">{}</span>').format(int(since.timestamp() * 1_000), text)
