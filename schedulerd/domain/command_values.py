"""What a table says of a command's surroundings: its variables, what it reads, and where its output is mailed. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.mail_addresses import parse_addresses

MAX_COMMAND_BYTES: Final = 100_000
"""One argument of a program may have 131,071 bytes, and the shell takes the command as one; a variable may have as
many."""

COMMAND_KEYS: Final = ("environment", "stdin", "mail_to")


def surroundings_of(entry: Entry) -> dict[str, Any]:
    """The fields of a schedule definition that these keys give. Raises `BadEntry`, also where there is no command."""
    if (given := entry.given(COMMAND_KEYS)) and not entry.has("command"):
        raise entry.wrong(given[0], f"`{given[0]}` is for a `command`; a flow has `parameters`")
    return {
        "environment": _environment(entry),
        "stdin": _stdin(entry),
        "mail_to": entry.expression("mail_to", parse_addresses) if entry.has("mail_to") else None,
    }


def _environment(entry: Entry) -> Mapping[str, str]:
    environment = entry.values.get("environment", {})
    if not isinstance(environment, dict):
        raise entry.wrong("environment", '`environment` must be a table, such as { PATH = "/usr/bin:/bin" }')
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            raise entry.wrong("environment", f"`environment`: {name!r} cannot be the name of a variable")
        if not isinstance(value, str) or "\0" in value or len(value.encode()) > MAX_COMMAND_BYTES:
            reason = f"must be text in quotes, of at most {MAX_COMMAND_BYTES} bytes and without NUL"
            raise entry.wrong("environment", f"`environment`: {name} {reason}")
    return environment


def _stdin(entry: Entry) -> str | None:
    stdin = entry.values.get("stdin")
    if stdin is not None and not isinstance(stdin, str):
        raise entry.wrong("stdin", "`stdin` must be text in quotes")
    return stdin or None
