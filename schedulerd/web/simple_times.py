"""A rhythm in words that most schedules have, as a cron expression. Pure."""

from collections.abc import Mapping
from typing import Final

from schedulerd.domain.cron import ALIASES
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

RHYTHMS: Final = ("hour", "day", "weekdays", "week", "month")


def cron_of(typed: Mapping[str, str]) -> str:
    """The expression of what was chosen: `rhythm`, and with it `time`, `weekday` (1 is Monday) or `day` of the month.

    Raises `BadExpression` for what is no time of the day.
    """
    hour, minute = _clock(typed.get("time", ""))
    match typed.get("rhythm", ""):
        case "hour":
            return f"{minute} * * * *"
        case "weekdays":
            return f"{minute} {hour} * * 1-5"
        case "week":
            return f"{minute} {hour} * * {typed.get('weekday') or '1'}"
        case "month":
            return f"{minute} {hour} {typed.get('day') or '1'} * *"
        case _:
            return f"{minute} {hour} * * *"


def chosen_of(cron: str) -> Mapping[str, str] | None:
    """What has to be chosen for this expression; None where it is none of these rhythms."""
    fields = ALIASES.get(cron.strip().lower(), cron).split()
    if len(fields) != 5 or not fields[0].isdecimal():
        return None
    minute, hour, day, month, weekday = fields
    time = f"{int(hour):02}:{int(minute):02}" if hour.isdecimal() else f"00:{int(minute):02}"
    match (hour, day, month, weekday):
        case ("*", "*", "*", "*"):
            return {"rhythm": "hour", "time": time}
        case (hour, "*", "*", "*") if hour.isdecimal():
            return {"rhythm": "day", "time": time}
        case (hour, "*", "*", "1-5") if hour.isdecimal():
            return {"rhythm": "weekdays", "time": time}
        case (hour, "*", "*", weekday) if hour.isdecimal() and weekday.isdecimal():
            return {"rhythm": "week", "time": time, "weekday": weekday}
        case (hour, day, "*", "*") if hour.isdecimal() and day.isdecimal():
            return {"rhythm": "month", "time": time, "day": day}
    return None


def _clock(text: str) -> tuple[int, int]:
    hour, _, minute = (text or "00:00").partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise BadExpression(said("this is no time of the day such as 06:30"), expression=text, code="time")
    return int(hour), int(minute)
