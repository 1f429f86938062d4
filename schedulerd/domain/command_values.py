"""What a table says of a command's surroundings: its variables, what it reads, and where its output is mailed. Pure."""

from typing import Any, Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.mail_addresses import parse_addresses
from schedulerd.domain.surroundings_values import (
    SURROUNDINGS_KEYS,
    read_environment,
    read_surroundings,
    read_time_limit,
)
from schedulerd.sentences import said

MAX_COMMAND_BYTES: Final = 100_000
"""One argument of a program may have 131,071 bytes, and the shell takes the command as one."""

COMMAND_KEYS: Final = (*SURROUNDINGS_KEYS, "timeout", "stdin", "mail_to")


def surroundings_of(entry: Entry) -> dict[str, Any]:
    """The fields of a schedule definition that these keys give. Raises `BadEntry`, also where there is no command."""
    if (given := entry.given(COMMAND_KEYS)) and not entry.has("command"):
        raise entry.wrong(
            given[0],
            said(
                "`{given}` is for a `command`; {where_a_flow_has}",
                given=given[0],
                where_a_flow_has=_where_a_flow_has(given[0]),
            ),
        )
    return {
        "environment": read_environment(entry),
        "surroundings": read_surroundings(entry),
        "timeout": read_time_limit(entry, "timeout"),
        "stdin": _stdin(entry),
        "mail_to": entry.expression("mail_to", parse_addresses) if entry.has("mail_to") else None,
    }


def _where_a_flow_has(key: str) -> str:
    if key in SURROUNDINGS_KEYS:
        return said("a flow says it in its file: @flow({option}=...)", option=key)
    if key == "timeout":
        return said("a flow says it in its file: @flow({option}=...)", option="timeout_seconds")
    return said("a flow has `parameters`")


def _stdin(entry: Entry) -> str | None:
    stdin = entry.values.get("stdin")
    if stdin is not None and not isinstance(stdin, str):
        raise entry.wrong("stdin", said("`stdin` must be text in quotes"))
    return stdin or None
