"""What the keys of a schedule say, wherever they are written: the same checks and words for files and flow files. Pure."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from schedulerd.domain.blackout_values import Calendars, blackout_of
from schedulerd.domain.cause_values import CAUSE_KEYS, CAUSE_READERS, CAUSES
from schedulerd.domain.command_values import COMMAND_KEYS, MAX_COMMAND_BYTES, surroundings_of
from schedulerd.domain.due import check_when
from schedulerd.domain.entries import Entry
from schedulerd.domain.heartbeat_values import heartbeat_of
from schedulerd.domain.limit_values import LIMIT_KEYS, limits_of
from schedulerd.domain.retry_values import RETRY_KEYS, retries_of
from schedulerd.domain.schedules import (
    Cron,
    DayMatch,
    Interval,
    Once,
    Overlap,
    Policies,
    Reboot,
    RRule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.timing import check_definition
from schedulerd.domain.zones import zone
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

MAX_NAME_CHARACTERS: Final = 200

_WHAT: Final = ("name", "flow", "command", "parameters", "enabled")
_TIMES: Final = ("cron", "every", "at", "rrule")
_WHENS: Final = (*_TIMES, *CAUSES)
_CATCHUP: Final = ("catchup", "catchup_limit", "catchup_window", "misfire_grace")
KEYS: Final = (
    *_WHAT,
    *_WHENS,
    *CAUSE_KEYS,
    *("timezone", "day_match", "anchor", "start", "end", "jitter"),
    *("blackout", "blackout_action"),
    *_CATCHUP,
    *("overlap", "queue_limit"),
    *LIMIT_KEYS,
    *RETRY_KEYS,
    *COMMAND_KEYS,
    "heartbeat",
)
"""All keys, as they are grouped for people."""

_REBOOT: Final = "@reboot"
_PARTS: Final = frozenset({"blackout", "jitter"})
"""Keys that are codes of complaints about them; what is said of the whole is about its bounds."""

_GOES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "day_match": ("cron",),
    "anchor": ("every", "rrule"),
    "start": ("cron", "every", "rrule"),
    "end": ("cron", "every", "rrule"),
    "states": ("after",),
    "parameter": ("file", "webhook"),
    "secret": ("webhook",),
    **dict.fromkeys(("jitter", "blackout", "blackout_action", *_CATCHUP), _TIMES),
}
"""Keys that mean something with some kinds only, and nothing with the start of the machine."""


def schedule_of(values: Any, *, timezone: str, origin: str, calendars: Calendars) -> ScheduleDefinition:
    """The schedule that a table defines; raises `BadEntry`, or `BadDefinition` for a calendar file that it names.

    `timezone` is for one that names none.
    """
    entry = Entry(values)
    if not entry.values:
        raise entry.wrong(
            None,
            said("the schedule is empty"),
            mend=said('give it a name, a flow, and a time: cron = "0 6 * * *"'),
        )
    entry.refuse_unknown(KEYS)
    name = _name(entry)
    flow, command = _what(entry)
    kind = _kind(entry)
    timezone = _timezone(entry, timezone)
    definition = ScheduleDefinition(
        name=name,
        when=_READERS[kind](entry, timezone),
        flow=flow,
        command=command,
        parameters=_parameters(entry),
        policies=_policies(entry, kind),
        enabled=entry.flag("enabled", default=True),
        origin=origin,
        start=_start(entry),
        end=_end(entry),
        jitter=entry.positive_duration("jitter") if entry.has("jitter") else timedelta(),
        blackout=blackout_of(entry, schedule=name, timezone=timezone, calendars=calendars),
        **surroundings_of(entry),
        retrying=retries_of(entry),
        **limits_of(entry),
        heartbeat=heartbeat_of(entry),
    )
    _check(entry, kind, definition)
    return definition


def _check(entry: Entry, kind: str, definition: ScheduleDefinition) -> None:
    """Whether it can ever be due. A complaint belongs to the key that is to be changed."""
    try:
        check_when(definition.when, name=definition.name)
    except BadExpression as error:
        raise entry.bad_expression(kind, error) from error
    try:
        check_definition(definition)
    except BadExpression as error:
        key = error.code if error.code in _PARTS else [kind, *entry.given(("start", "end"))][-1]
        raise entry.bad_expression(key, error) from error


def _name(entry: Entry) -> str:
    if not entry.has("name"):
        raise entry.wrong(None, said("the schedule has no name"), mend=said('add name = "..."'))
    name = entry.text("name")
    if not is_name(name):
        raise entry.wrong(
            "name",
            said(
                "`name` must be at most {max_name_characters} printable characters, with no blank at its ends",
                max_name_characters=MAX_NAME_CHARACTERS,
            ),
        )
    return name


def is_name(name: str) -> bool:
    """Can a schedule be called so?"""
    return name.isprintable() and name == name.strip() and 0 < len(name) <= MAX_NAME_CHARACTERS


def _what(entry: Entry) -> tuple[str | None, str | None]:
    match entry.given(("flow", "command")):
        case ["flow"]:
            return entry.text("flow"), None
        case ["command"]:
            if entry.has("parameters"):
                raise entry.wrong(
                    "parameters",
                    said("a command has no `parameters`; write what it needs into `command` itself"),
                )
            return None, _command(entry)
        case []:
            raise entry.wrong(None, said("there is neither `flow` nor `command`: nothing to run"))
        case given:
            raise entry.wrong(given[1], said("there is both `flow` and `command`; a schedule runs one thing"))


def _command(entry: Entry) -> str:
    command = entry.text("command")
    if "\0" in command or len(command.encode()) > MAX_COMMAND_BYTES:
        raise entry.wrong(
            "command",
            said(
                "`command` must have at most {max_command_bytes} bytes and no NUL",
                max_command_bytes=MAX_COMMAND_BYTES,
            ),
        )
    return command


def _kind(entry: Entry) -> str:
    """Which of the keys says when, or `@reboot`; and nothing stands beside it that means nothing with it."""
    match entry.given(_WHENS):
        case ["cron"] if entry.text("cron").strip().lower() == _REBOOT:
            kind = _REBOOT
        case [key]:
            kind = key
        case []:
            raise entry.wrong(
                None, said("there is none of {listed}: it would never run", listed=_listed(_WHENS))
            )
        case given:
            both = _listed(tuple(given))
            raise entry.wrong(given[1], said("there is {both}; a schedule has one of them", both=both))
    for key in entry.given(_GOES_WITH):
        if kind not in _GOES_WITH[key]:
            raise entry.wrong(key, said("{misplaced}; take it out", misplaced=_misplaced(key, kind)))
    return kind


def _misplaced(key: str, kind: str) -> str:
    if kind == _REBOOT:
        return said("`{key}` means nothing with `@reboot`, which has no due times", key=key)
    if kind in CAUSES and key not in CAUSE_KEYS:
        return said("`{key}` means nothing with `{kind}`, which has no due times", key=key, kind=kind)
    listed = _listed(_GOES_WITH[key])
    return said(
        "`{key}` goes with {listed}, and this is a schedule by `{kind}`", key=key, listed=listed, kind=kind
    )


def _listed(keys: tuple[str, ...]) -> str:
    *most, last = (f"`{key}`" for key in keys)
    return said("{most} and {last}", most=", ".join(most), last=last) if most else last


def _timezone(entry: Entry, default: str) -> str:
    if entry.has("timezone"):
        entry.expression("timezone", zone)
    return entry.text("timezone", default)


def _cron(entry: Entry, timezone: str) -> When:
    return Cron(
        expression=entry.text("cron"), timezone=timezone, day_match=entry.one_of("day_match", DayMatch)
    )


def _interval(entry: Entry, timezone: str) -> When:
    anchor = _begin(entry.moment("anchor")) if entry.has("anchor") else None
    return Interval(every=entry.duration("every"), timezone=timezone, anchor=anchor)


def _once(entry: Entry, timezone: str) -> When:
    at = entry.local_moment("at")
    if not isinstance(at, datetime):
        raise entry.wrong("at", said('`at` must be a date and time, such as "2026-12-01T09:00"'))
    return Once(at=at, timezone=timezone)


def _rrule(entry: Entry, timezone: str) -> When:
    anchor = _begin(entry.local_moment("anchor")) if entry.has("anchor") else None
    return RRule(expression=entry.text("rrule"), timezone=timezone, anchor=anchor)


def _reboot(entry: Entry, timezone: str) -> When:
    return Reboot(timezone=timezone)


_READERS: Final[Mapping[str, Callable[[Entry, str], When]]] = {
    "cron": _cron,
    "every": _interval,
    "at": _once,
    "rrule": _rrule,
    **CAUSE_READERS,
    _REBOOT: _reboot,
}


def _start(entry: Entry) -> datetime | None:
    return _begin(entry.local_moment("start")) if entry.has("start") else None


def _end(entry: Entry) -> datetime | None:
    if not entry.has("end"):
        return None
    end = entry.local_moment("end")
    return end if isinstance(end, datetime) else datetime.combine(end, time.max)


def _begin(value: date) -> datetime:
    """A date alone is its midnight."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


def _policies(entry: Entry, kind: str) -> Policies:
    usual = Policies(overlap=Overlap.ALLOW) if kind in CAUSES else Policies()  # each cause is one run
    overlap = entry.choice("overlap", usual.overlap)
    if entry.has("queue_limit") and overlap is not Overlap.QUEUE:
        raise entry.wrong(
            "queue_limit", said('`queue_limit` goes with `overlap = "queue"`; add that, or take it out')
        )
    return Policies(
        catchup=entry.choice("catchup", usual.catchup),
        catchup_limit=entry.whole_number("catchup_limit", usual.catchup_limit),
        catchup_window=entry.duration("catchup_window", usual.catchup_window),
        misfire_grace=entry.duration("misfire_grace", usual.misfire_grace),
        overlap=overlap,
        queue_limit=entry.whole_number("queue_limit", usual.queue_limit),
    )


def _parameters(entry: Entry) -> Mapping[str, Any]:
    parameters = entry.values.get("parameters", {})
    if not isinstance(parameters, dict):
        raise entry.wrong("parameters", said('`parameters` must be a table, such as { region = "kr" }'))
    try:
        return {name: _plain(value) for name, value in parameters.items()}
    except ValueError as error:
        raise entry.wrong("parameters", said("`parameters`: {error}", error=error)) from error


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
