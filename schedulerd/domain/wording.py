"""What a schedule says, in the words of a language. Each language has a grammar of its own."""

from datetime import date
from typing import Final, Literal, Protocol, get_args

from schedulerd.domain import wording_en, wording_ko
from schedulerd.domain.schedules import ScheduleDefinition, When

Language = Literal["en", "ko"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


class _Grammar(Protocol):
    """A module with sentences."""

    def sentence(self, when: When, name: str) -> str:
        """When a schedule fires."""

    def day_name(self, day: date) -> str:
        """The weekday, short."""

    def qualified(self, definition: ScheduleDefinition) -> str:
        """The same with what else bears upon it."""


_GRAMMARS: Final[dict[Language, _Grammar]] = {"en": wording_en, "ko": wording_ko}


def in_words(when: When, *, name: str = "", language: Language = "en") -> str:
    """The schedule as a sentence without its full stop: `at 02:30 every day, Europe/Berlin time`."""
    return _GRAMMARS[language].sentence(when, name)


def schedule_in_words(definition: ScheduleDefinition, *, language: Language = "en") -> str:
    """The same with its start and end, its jitter and its blackout: `..., up to 5 minutes later, not on ...`."""
    return _GRAMMARS[language].qualified(definition)


def day_name(day: date, *, language: Language = "en") -> str:
    """The weekday of a day, short: `Mon`."""
    return _GRAMMARS[language].day_name(day)
