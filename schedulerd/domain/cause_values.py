"""What a table says of causes, in place of times: after which flow, for which file, for which call. Pure."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.schedules import After, Caused, FileAppears, Webhook
from schedulerd.domain.states import ENDED, RunState
from schedulerd.domain.variables import check_name
from schedulerd.errors import BadParameters

CAUSES: Final = ("after", "file", "webhook")
"""Keys that name a cause, where others name a time."""

CAUSE_KEYS: Final = ("states", "parameter", "secret")
"""Keys that go with them."""

EACH_MEMBER: Final = "*"
"""As the parameter of a webhook: each member of the body is one."""

_WILD: Final = frozenset("*?[")
_HOOK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def _after(entry: Entry, timezone: str) -> Caused:
    flows = _texts(entry, "after", "the name of a flow, or a list of them")
    if not entry.has("states"):
        return After(flows=flows, timezone=timezone)
    known = [state.value for state in RunState if state in ENDED]
    states = _texts(entry, "states", "a state in which a run ends, or a list of them")
    for state in states:
        if state not in known:
            raise entry.wrong("states", f"`states`: {state!r} is not one of {', '.join(known)}")
    return After(flows=flows, states=tuple(map(RunState, states)), timezone=timezone)


def _texts(entry: Entry, key: str, what: str) -> tuple[str, ...]:
    """A text or several, each once, and at least one."""
    value = entry.values[key]
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not all(isinstance(one, str) and one.strip() for one in several):
        raise entry.wrong(key, f"`{key}` must be {what}, in quotes")
    if not several:
        raise entry.wrong(key, f"`{key}` is empty: give {what}")
    return tuple(dict.fromkeys(several))


def _file(entry: Entry, timezone: str) -> Caused:
    pattern = entry.text("file")
    folder, name = os.path.split(pattern)
    if not pattern.startswith("/") or not name:
        mend = "/inbox/*.csv"
        raise entry.wrong("file", f'`file` must be the whole path of a file, such as "{mend}"')
    if not _WILD.isdisjoint(folder):
        raise entry.wrong("file", "`file`: wildcards may stand in the last part of the path only")
    if "\0" in pattern or ".." in folder.split("/"):
        raise entry.wrong("file", "`file` must have neither `..` nor a NUL in it")
    if entry.has("command") and entry.has("parameter"):
        raise entry.wrong("parameter", "a command has no parameters; it finds the file in $SCHEDULERD_FILE")
    parameter = entry.text("parameter", "path")
    if not parameter.isidentifier():
        raise entry.wrong("parameter", "`parameter` must be the name of a parameter of the flow")
    return FileAppears(pattern=os.path.normpath(pattern), parameter=parameter, timezone=timezone)


def _webhook(entry: Entry, timezone: str) -> Caused:
    hook = entry.text("webhook")
    if not _HOOK.fullmatch(hook):
        raise entry.wrong(
            "webhook",
            "`webhook` must be a name for its address: letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
        )
    if not entry.has("secret"):
        raise entry.wrong(
            "webhook",
            "`webhook` needs `secret` beside it, the name of a secret that callers have to show",
            mend=f'`schedulerd secrets set {hook}`, and write secret = "{hook}"',
        )
    try:
        secret = check_name(entry.text("secret"), what="secret")
    except BadParameters as error:  # it may be the secret itself that stands there
        raise entry.wrong(
            "secret", "`secret` must be the name of a secret, as `schedulerd secrets list` shows it"
        ) from error
    return Webhook(hook=hook, secret=secret, parameter=_parameter_of_body(entry), timezone=timezone)


def _parameter_of_body(entry: Entry) -> str | None:
    if not entry.has("parameter"):
        return None
    if entry.has("command"):
        raise entry.wrong("parameter", "a command has no parameters")
    parameter = entry.text("parameter")
    if parameter != EACH_MEMBER and not parameter.isidentifier():
        raise entry.wrong(
            "parameter",
            '`parameter` must be the name of a parameter of the flow, or "*" for each member of the body',
        )
    return parameter


CAUSE_READERS: Final[Mapping[str, Callable[[Entry, str], Caused]]] = {
    "after": _after,
    "file": _file,
    "webhook": _webhook,
}
