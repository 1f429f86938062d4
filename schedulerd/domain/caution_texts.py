"""What is told about a schedule and its due times, in each language. A text names what is put into it in braces."""

from collections.abc import Mapping
from enum import StrEnum, auto
from typing import Final

from schedulerd.domain.wording import Language


class Told(StrEnum):
    """Which text it is."""

    EITHER_DAY = auto()
    BOTH_DAYS = auto()
    SHORT_MONTH = auto()
    SHORT_MONTH_OF_RULE = auto()
    UNEVEN_STEP = auto()
    EVERY_MINUTE = auto()
    EVERY_MINUTE_OF_HOURS = auto()
    NEVER = auto()
    NEVER_AGAIN = auto()
    GAP = auto()
    GAP_OF_RHYTHM = auto()
    FOLD = auto()
    FOLD_OF_RHYTHM = auto()
    FIRES_AFTER_GAP = auto()
    FIRES_FIRST = auto()
    FIRES_AGAIN = auto()
    FIRES_AFTER_BLACKOUT = auto()
    FIRES_LATER = auto()


_ENGLISH: Final[Mapping[Told, str]] = {
    Told.EITHER_DAY: "both day fields are restricted, so either is enough: it fires on {day} and also on weekday "
    "{weekday}",
    Told.BOTH_DAYS: "both day fields must fit: it fires only where {day} and weekday {weekday} fall on the same day",
    Told.SHORT_MONTH: "months without a day {day} are skipped; L is the last day of every month",
    Told.SHORT_MONTH_OF_RULE: "months without a day {day} are skipped; BYMONTHDAY=-1 is the last day of every month",
    Told.UNEVEN_STEP: "the step {step} of the {field} begins anew {larger}, so the last gap is shorter",
    Told.EVERY_MINUTE: "it fires every minute, 1,440 times a day",
    Told.EVERY_MINUTE_OF_HOURS: "it fires every minute of hour {hours}; for once an hour write 0 for the minute: "
    "0 {hours}",
    Told.NEVER: "it never fires",
    Told.NEVER_AGAIN: "it never fires again; the last time was {last}",
    Told.GAP: "on {day} the clocks of {zone} leave out {low}-{high}; {times} {fires} at {high}, right after",
    Told.GAP_OF_RHYTHM: "on {day} the clocks of {zone} leave out {low}-{high}; its times in between do not exist on "
    "that day and are not made up for",
    Told.FOLD: "on {day} the clocks of {zone} repeat {low}-{high}; {times} {fires} at the first pass only",
    Told.FOLD_OF_RHYTHM: "on {day} the clocks of {zone} repeat {low}-{high}; its times in between fire in both passes",
    Told.FIRES_AFTER_GAP: "{meant} does not exist on this day",
    Told.FIRES_FIRST: "{meant} happens twice; this is the first time",
    Told.FIRES_AGAIN: "{meant} happens twice; this is the second time",
    Told.FIRES_AFTER_BLACKOUT: "{meant}, run after it",
    Told.FIRES_LATER: "{delay} after {meant}",
}

# Worded so that no particle depends on what is put in.
_KOREAN: Final[Mapping[Told, str]] = {
    Told.EITHER_DAY: "날짜와 요일이 모두 지정되어 둘 중 하나만 맞아도 실행됩니다: 날짜 {day} 또는 요일 {weekday}",
    Told.BOTH_DAYS: "날짜와 요일이 모두 맞는 날에만 실행됩니다: 날짜 {day}, 요일 {weekday}",
    Told.SHORT_MONTH: "{day}일이 없는 달은 건너뜁니다. 매월 마지막 날은 L로 씁니다",
    Told.SHORT_MONTH_OF_RULE: "{day}일이 없는 달은 건너뜁니다. 매월 마지막 날은 BYMONTHDAY=-1로 씁니다",
    Told.UNEVEN_STEP: "{field} 간격 {step}: {larger} 처음부터 다시 세므로 마지막 간격이 더 짧습니다",
    Told.EVERY_MINUTE: "1분마다, 하루에 1,440번 실행됩니다",
    Told.EVERY_MINUTE_OF_HOURS: "시 {hours}에 1분마다 실행됩니다. 한 시간에 한 번만 실행하려면 분을 0으로 쓰세요: "
    "0 {hours}",
    Told.NEVER: "실행되지 않습니다",
    Told.NEVER_AGAIN: "더는 실행되지 않습니다. 마지막 시각: {last}",
    Told.GAP: "{day}, {zone}의 시계가 {low}–{high} 구간을 건너뜁니다. {times}: 바로 뒤 {high}에 실행됩니다",
    Told.GAP_OF_RHYTHM: "{day}, {zone}의 시계가 {low}–{high} 구간을 건너뜁니다. 그 사이의 시각은 그날 없고, 나중에 "
    "보충하지 않습니다",
    Told.FOLD: "{day}, {zone}의 시계가 {low}–{high} 구간을 두 번 지납니다. {times}: 첫 번째에만 실행됩니다",
    Told.FOLD_OF_RHYTHM: "{day}, {zone}의 시계가 {low}–{high} 구간을 두 번 지납니다. 그 사이의 시각은 두 번 다 "
    "실행됩니다",
    Told.FIRES_AFTER_GAP: "이날 없는 시각 {meant}",
    Told.FIRES_FIRST: "두 번 있는 {meant} 중 첫 번째",
    Told.FIRES_AGAIN: "두 번 있는 {meant} 중 두 번째",
    Told.FIRES_AFTER_BLACKOUT: "{meant} 예정, 끝난 뒤 실행",
    Told.FIRES_LATER: "{meant}보다 {delay} 늦게",
}
TEXTS: Final[Mapping[Language, Mapping[Told, str]]] = {"en": _ENGLISH, "ko": _KOREAN}

_KOREAN_NAMES: Final = {
    "second": "초",
    "minute": "분",
    "hour": "시",
    "day of month": "날짜",
    "month": "월",
    "day of week": "요일",
    "each minute": "매분",
    "each hour": "매시",
    "each day": "매일",
    "each month": "매월",
    "each year": "매년",
    "each week": "매주",
}


def told(which: Told, language: Language, **values: object) -> str:
    """The text with its values."""
    return TEXTS[language][which].format(**values)


def field_name(name: str, language: Language) -> str:
    """The name of a field of a cron expression."""
    return _KOREAN_NAMES[name] if language == "ko" else name


def each_time(larger: str, language: Language) -> str:
    """`each hour`, for what a field begins anew with."""
    return _KOREAN_NAMES[f"each {larger}"] if language == "ko" else f"each {larger}"
