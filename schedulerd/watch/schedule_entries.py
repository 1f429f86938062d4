"""One `[[schedule]]` of a schedule file, made into a definition or refused with the line of the key that is wrong."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from schedulerd.domain.due import check_when
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.names import did_you_mean
from schedulerd.domain.schedules import Cron, Interval, Once, Policies, Reboot, ScheduleDefinition, When
from schedulerd.domain.toml_text import TomlText
from schedulerd.domain.zones import zone
from schedulerd.errors import BadDefinition, BadExpression
from schedulerd.watch.mail_addresses import parse_addresses

MAX_COMMAND_BYTES: Final = 100_000
MAX_NAME_CHARACTERS: Final = 200

_WHENS: Final = ("cron", "every", "at")
_COMMAND_ONLY: Final = ("environment", "stdin", "mail_to")
_POLICIES: Final = ("catchup", "catchup_limit", "catchup_window", "misfire_grace", "overlap")
KEYS: Final = (
    "name",
    "flow",
    "command",
    *_WHENS,
    "timezone",
    "parameters",
    *_COMMAND_ONLY,
    "enabled",
    *_POLICIES,
)

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)


class ScheduleEntry:
    """One `[[schedule]]`, asked key by key; every complaint names the line of its key."""

    def __init__(self, toml: TomlText, path: str, index: int, values: Any) -> None:
        self._toml = toml
        self._path = path
        self._index = index
        self.values: Mapping[str, Any] = values if isinstance(values, dict) else {}

    @property
    def origin(self) -> str:
        """Where it stands: `file:line`."""
        return f"{self._path}:{self._line()}"

    def names(self) -> set[str]:
        """Its name, where it has one."""
        name = self.values.get("name")
        return {name} if isinstance(name, str) else set()

    def given(self, *keys: str) -> list[str]:
        """Those of the keys that it has, in the order of the file."""
        return [key for key in self.values if key in keys]

    def wrong(self, key: str | None, reason: str, *, mend: str = "") -> BadDefinition:
        """The error to raise for a key; for the entry as a whole without one."""
        return BadDefinition(reason, file=self._path, line=self._line(*([key] if key else [])), mend=mend)

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, f"`{key}` must be text in quotes")
        if key in self.values and not value.strip():
            raise self.wrong(key, f"`{key}` is empty")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"`{key}` must be true or false")
        return value

    def whole_number(self, key: str, default: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(key, f"`{key}` must be a whole number of at least 1")
        return value

    def choice(self, key: str, default: Choice) -> Choice:
        known = [member.value for member in type(default)]
        value = self.values.get(key, default)
        if value not in known:
            raise self.wrong(key, f"`{key}` must be one of {', '.join(known)}")
        return type(default)(value)

    def duration(self, key: str, default: timedelta) -> timedelta:
        if key not in self.values:
            return default
        if not isinstance(self.values[key], str):
            raise self.wrong(key, f'`{key}` must be a duration in quotes, such as "15m"')
        return self.expression(key, parse_duration)

    def expression(self, key: str, parse: Callable[[str], T]) -> T:
        """What `parse` makes of the text; its complaint is shown with a caret under the token."""
        text = self.text(key)
        try:
            return parse(text)
        except BadExpression as error:
            raise self.bad_expression(key, error) from error

    def bad_expression(self, key: str, error: BadExpression) -> BadDefinition:
        """The error to raise for an expression, with a caret under the token that is wrong."""
        return self.wrong(key, f"`{key}`: {error.reason}\n{error.caret()}")

    def _line(self, *keys: str) -> int | None:
        return self._toml.line_of("schedule", self._index, *keys)


def definition_of(entry: ScheduleEntry, timezone: str) -> ScheduleDefinition:
    if not entry.values:
        raise entry.wrong(
            None, "the schedule is empty", mend='give it a name, a flow, and a time: cron = "0 6 * * *"'
        )
    for key in entry.values:
        if key not in KEYS:
            raise entry.wrong(key, f"unknown key {key!r}; {did_you_mean(key, KEYS)}")
    name = _name(entry)
    flow, command = _what(entry)
    return ScheduleDefinition(
        name=name,
        when=_when(entry, name, _timezone(entry, timezone)),
        flow=flow,
        command=command,
        parameters=_parameters(entry),
        policies=_policies(entry),
        enabled=entry.flag("enabled", default=True),
        origin=entry.origin,
        **command_surroundings(entry),
    )


def _name(entry: ScheduleEntry) -> str:
    if "name" not in entry.values:
        raise entry.wrong(None, "the schedule has no name", mend='add name = "..."')
    name = entry.text("name")
    if not is_name(name):
        raise entry.wrong(
            "name",
            f"`name` must be at most {MAX_NAME_CHARACTERS} printable characters, with no blank at its ends",
        )
    return name


def is_name(name: str) -> bool:
    """Can a schedule be called so?"""
    return name.isprintable() and name == name.strip() and 0 < len(name) <= MAX_NAME_CHARACTERS


def _what(entry: ScheduleEntry) -> tuple[str | None, str | None]:
    match entry.given("flow", "command"):
        case ["flow"]:
            if given := entry.given(*_COMMAND_ONLY):
                raise entry.wrong(given[0], f"`{given[0]}` is for a `command`; a flow has parameters")
            return entry.text("flow"), None
        case ["command"]:
            if entry.given("parameters"):
                raise entry.wrong(
                    "parameters", "a command has no `parameters`; write what it needs into `command` itself"
                )
            return None, _command(entry)
        case []:
            raise entry.wrong(None, "there is neither `flow` nor `command`: nothing to run")
        case given:
            raise entry.wrong(given[1], "there is both `flow` and `command`; a schedule runs one thing")


def _command(entry: ScheduleEntry) -> str:
    command = entry.text("command")
    # one argument of a program may have 131,071 bytes, and the shell takes the command as one
    if "\0" in command or len(command.encode()) > MAX_COMMAND_BYTES:
        raise entry.wrong("command", f"`command` must have at most {MAX_COMMAND_BYTES} bytes and no NUL")
    return command


def command_surroundings(entry: ScheduleEntry) -> dict[str, Any]:
    """What a command finds around it, and where its output is sent."""
    return {
        "environment": _environment(entry),
        "stdin": _stdin(entry),
        "mail_to": entry.expression("mail_to", parse_addresses) if entry.given("mail_to") else None,
    }


def _environment(entry: ScheduleEntry) -> Mapping[str, str]:
    environment = entry.values.get("environment", {})
    if not isinstance(environment, dict):
        raise entry.wrong("environment", '`environment` must be a table, such as { PATH = "/usr/bin:/bin" }')
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            raise entry.wrong("environment", f"`environment`: {name!r} cannot be the name of a variable")
        if not isinstance(value, str) or "\0" in value or len(value.encode()) > MAX_COMMAND_BYTES:
            raise entry.wrong(
                "environment",
                f"`environment`: {name} must be text in quotes, of at most {MAX_COMMAND_BYTES} bytes and no NUL",
            )
    return environment


def _stdin(entry: ScheduleEntry) -> str | None:
    stdin = entry.values.get("stdin")
    if stdin is not None and not isinstance(stdin, str):
        raise entry.wrong("stdin", "`stdin` must be text in quotes")
    return stdin or None


def _timezone(entry: ScheduleEntry, default: str) -> str:
    if "timezone" in entry.values:
        entry.expression("timezone", zone)
    return entry.text("timezone", default)


def _when(entry: ScheduleEntry, name: str, timezone: str) -> When:
    key = _which(entry)
    when: When
    match key:
        case "cron" if entry.text(key).strip() == "@reboot":
            when = Reboot(timezone=timezone)
        case "cron":
            when = Cron(expression=entry.text(key), timezone=timezone)
        case "every":
            when = Interval(every=entry.duration(key, timedelta()), timezone=timezone)
        case _:
            when = Once(at=_moment(entry), timezone=timezone)
    try:
        check_when(when, name=name)
    except BadExpression as error:
        raise entry.bad_expression(key, error) from error
    return when


def _which(entry: ScheduleEntry) -> str:
    match entry.given(*_WHENS):
        case [key]:
            return key
        case []:
            raise entry.wrong(None, "there is none of `cron`, `every` and `at`: it would never run")
        case given:
            both = " and ".join(f"`{key}`" for key in given)
            raise entry.wrong(given[1], f"there is {both}; a schedule has one of them")


def _moment(entry: ScheduleEntry) -> datetime:
    value = entry.values["at"]
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError as error:
            reason = f'`at` is no date and time: {value!r}; write it like "2026-12-01T09:00"'
            raise entry.wrong("at", reason) from error
    if not isinstance(value, datetime):  # a TOML date without a time is a `date` only
        raise entry.wrong("at", '`at` must be a date and time, such as "2026-12-01T09:00"')
    if value.tzinfo is not None:
        raise entry.wrong("at", "`at` is a local time; leave its offset out and name the zone in `timezone`")
    return value


def _policies(entry: ScheduleEntry) -> Policies:
    usual = Policies()
    return Policies(
        catchup=entry.choice("catchup", usual.catchup),
        catchup_limit=entry.whole_number("catchup_limit", usual.catchup_limit),
        catchup_window=entry.duration("catchup_window", usual.catchup_window),
        misfire_grace=entry.duration("misfire_grace", usual.misfire_grace),
        overlap=entry.choice("overlap", usual.overlap),
    )


def _parameters(entry: ScheduleEntry) -> Mapping[str, Any]:
    parameters = entry.values.get("parameters", {})
    if not isinstance(parameters, dict):
        raise entry.wrong("parameters", '`parameters` must be a table, such as { region = "kr" }')
    try:
        return {name: _plain(value) for name, value in parameters.items()}
    except ValueError as error:
        raise entry.wrong("parameters", f"`parameters`: {error}") from error


def _plain(value: Any) -> Any:
    """The value as JSON has it: dates and times become text."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number that a parameter can have")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
