"""The form of a schedule: what was typed, made into the keys of a schedule file, and the keys made into texts for the form. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from schedulerd.domain.schedules import Catchup, Overlap
from schedulerd.errors import BadExpression
from schedulerd.sentences import said
from schedulerd.web.simple_times import chosen_of, cron_of

KINDS: Final = ("simple", "cron", "interval", "once")
KEPT: Final = "kept"
"""The kind of a schedule whose time this form cannot say: it is left as it is."""

FIELDS: Final = (
    *("name", "flow", "command", "kind"),
    *("rhythm", "time", "weekday", "day", "cron", "day_match", "every", "anchor", "at"),
    *("timezone", "start", "end", "jitter", "overlap", "catchup"),
    *("directory", "user", "environment", "timeout"),
)
"""All but parameters, which have names of their own."""

_TIMES: Final = ("cron", "every", "at", "rrule", "after", "file", "webhook")
_PLAIN: Final = ("timezone", "start", "end", "jitter", "overlap", "catchup")
_OF_COMMANDS: Final = ("directory", "user", "timeout")
_OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "simple": ("cron",),
    "cron": ("cron", "day_match"),
    "interval": ("every", "anchor"),
    "once": ("at",),
}
_SAID: Final = frozenset(
    {
        *("name", "flow", "command", "parameters", "environment"),
        *(key for keys in _OF_KIND.values() for key in keys),
        *(*_PLAIN, *_OF_COMMANDS),
    }
)
"""The keys that the form says; others are left as they are."""

_WITHOUT_TIMES: Final = ("start", "end", "jitter", "catchup")
_USUAL: Final = {"overlap": Overlap.SKIP.value, "catchup": Catchup.LATEST.value}


class BadField(Exception):
    """A field of the form cannot be read: `key` is that of the schedule that it was for."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What was typed: texts by the name of their field, and the parameters as they were read."""

    texts: Mapping[str, str]
    parameters: Mapping[str, Any]

    def of(self, name: str) -> str:
        """What stands in a field."""
        return self.texts.get(name, "").replace("\r\n", "\n").strip()


def values_of(typed: Typed, *, was: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the schedule. `was` are those that it had: what the form does not say stays. Raises `BadField`."""
    values: dict[str, Any] = {"name": typed.of("name")}
    if typed.of("command"):
        values |= {"command": typed.of("command"), **_of_command(typed)}
    else:
        values |= {"flow": typed.of("flow")}
        values |= {"parameters": dict(typed.parameters)} if typed.parameters else {}
    values |= _when(typed, was)
    values |= {key: typed.of(key) for key in _PLAIN if typed.of(key) not in ("", _USUAL.get(key))}
    if "at" in values or not any(key in values for key in ("cron", "every", "rrule")):
        values = {key: value for key, value in values.items() if key not in ("start", "end")}
    return values | {key: value for key, value in was.items() if key not in (*_SAID, *_TIMES)}


def _when(typed: Typed, was: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = typed.of("kind")
    if kind == KEPT:
        return {key: was[key] for key in (*_TIMES, "anchor", "day_match") if key in was}
    if kind == "simple":
        try:
            return {"cron": cron_of({name: typed.of(name) for name in ("rhythm", "time", "weekday", "day")})}
        except BadExpression as error:
            raise BadField("cron", error.reason) from error
    keys = _OF_KIND.get(kind, _OF_KIND["cron"])
    return {key: typed.of(key) for key in keys if typed.of(key)}


def _of_command(typed: Typed) -> Mapping[str, Any]:
    values: dict[str, Any] = {key: typed.of(key) for key in _OF_COMMANDS if typed.of(key)}
    if environment := _environment(typed.of("environment")):
        values["environment"] = environment
    return values


def _environment(text: str) -> Mapping[str, str]:
    pairs = {}
    for line in text.splitlines():
        name, is_there, value = line.partition("=")
        if not line.strip():
            continue
        if not is_there or not name.strip():
            raise BadField("environment", said("{line!r} is not of the form NAME=value", line=line.strip()))
        pairs[name.strip()] = value.strip()
    return pairs


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields of the form for these keys."""
    texts = {key: _text(value) for key, value in values.items() if key in _SAID and key != "parameters"}
    texts["environment"] = "\n".join(
        f"{name}={value}" for name, value in values.get("environment", {}).items()
    )
    return texts | {"kind": _kind(values)} | dict(chosen_of(str(values.get("cron", ""))) or {})


def _kind(values: Mapping[str, Any]) -> str:
    if "cron" in values:
        return "cron"
    if "every" in values:
        return "interval"
    if "at" in values:
        return "once"
    return KEPT if any(key in values for key in _TIMES) else "simple"


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
