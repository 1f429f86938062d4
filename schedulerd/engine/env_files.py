"""Files of variables for a run: `NAME=VALUE` lines, read when it starts, so that what is in them is kept nowhere else.

    # a comment; blank lines are skipped
    REGION=kr
    export TOKEN="with \\"quotes\\""      (`export` is allowed, and means nothing)
    PATTERN='as it stands: $HOME \\n #'

A value without quotes goes to the end of its line, without the blanks around it; nothing in it is special, not `#` and
not `$`. In double quotes `\\"`, `\\\\`, `\\$` and `` \\` `` stand for the second character, in single quotes nothing is
special. Nothing is expanded, and a value does not go over the end of a line. Of equal names the last one counts.
"""

import os
import re
import stat
from collections.abc import Callable, Container
from typing import Final

LARGEST: Final = 1 << 20  # bytes

_COMMENTS: Final = ("#", ";")
_LINE: Final = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)", re.DOTALL)
_QUOTED: Final = re.compile(r"'(?P<plain>[^']*)'|\"(?P<escaped>(?:[^\"\\]|\\.)*)\"", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\([\"\\$`])")


class BadEnvFile(Exception):
    """Why the variables of a file cannot be had, for people; never with a value in it."""


def read_env_file(path: str, *, owners: Container[int], warn: Callable[[str], None]) -> dict[str, str]:
    """The variables in a file that belongs to one of `owners` (user ids), and that nobody else can write to.

    One that anybody may read is taken, with a warning. Raises `BadEnvFile`.
    """
    try:
        # not blocking: a named pipe of that name must not hold us up
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _judge(path, os.fstat(file.fileno()), owners, warn)
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadEnvFile(f"`env_file` {path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise BadEnvFile(f"`env_file` {path} is larger than {LARGEST} bytes")
    return parse_env_file(content.decode("utf-8", "surrogateescape"), path=path)


def parse_env_file(text: str, *, path: str) -> dict[str, str]:
    """The variables in the text of a file. Raises `BadEnvFile` with the line that is wrong."""
    variables: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        words = line.strip()
        if not words or words.startswith(_COMMENTS):
            continue
        found = _LINE.fullmatch(words)
        if found is None or "\0" in words:
            raise BadEnvFile(f"`env_file` {path}, line {number}: it is not NAME=VALUE")
        value = _value(found["value"])
        if value is None:
            raise BadEnvFile(
                f"`env_file` {path}, line {number}: a quote does not end, or something follows it"
            )
        variables[found["name"]] = value
    return variables


def _value(text: str) -> str | None:
    """What a value stands for; None for one that begins with a quote and does not end with it."""
    if not text.startswith(("'", '"')):
        return text
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return None
    return quoted["plain"] if quoted["escaped"] is None else _ESCAPE.sub(r"\1", quoted["escaped"])


def _judge(path: str, status: os.stat_result, owners: Container[int], warn: Callable[[str], None]) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadEnvFile(f"`env_file` {path} is no file")
    if status.st_uid not in owners:
        raise BadEnvFile(
            f"`env_file` {path} belongs to user {status.st_uid}, neither to root nor to who runs it"
        )
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid != 0):
        raise BadEnvFile(f"`env_file` {path} can be written to by others; chmod 600 {path}")
    if status.st_mode & stat.S_IROTH:
        warn(f"`env_file` {path} can be read by anybody; if it holds secrets: chmod 600 {path}")
