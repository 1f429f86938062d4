"""One line of a crontab, taken apart as Debian cron takes it (cron 3.0pl1, `load_env` and `load_entry`). Pure.

What a line says is decided here, and not whether its time can be: that is `domain/cron.py`'s. What Debian cron lets
pass and this does not: a line without a command, and a variable without a name.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from schedulerd.domain.cron import ALIASES
from schedulerd.errors import BadExpression

REBOOT: Final = "@reboot"
FIELD_COUNT: Final = 5

# `NAME = value`: each may be quoted, alike at both ends; nothing follows a closing quote, and an empty value needs one.
_SETTING: Final = re.compile(
    r"""\s*(?:(?P<name_quote>["'])(?P<quoted_name>(?:(?!(?P=name_quote))[^=])*)(?P=name_quote)"""
    r"""|(?P<name>(?:[^\s="'][^\s=]*)?))"""
    r"""\s*=\s*"""
    r"""(?:(?P<value_quote>["'])(?P<quoted_value>(?:(?!(?P=value_quote)).)*)(?P=value_quote)\s*"""
    r"""|(?P<value>[^\s"'](?:.*\S)?)\s*)""",
    re.ASCII,
)
_MEANT_AS_SETTING: Final = re.compile(r"""\s*["']?([A-Za-z_][A-Za-z0-9_]*)["']?\s*=\s*""")
_WORD: Final = re.compile(r"[^ \t]+")
_COMMAND_PART: Final = re.compile(r"(?:[^%\\]|\\.)*\\?")
_BACKSLASHED: Final = re.compile(r"\\(.)")
_PERCENT: Final = re.compile(r"\\%|%")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TRAILING_BLANKS: Final = re.compile(r"(?<!\\)[ \t]+$")


class Form(Enum):
    """Whose crontab it is: in that of the system (`/etc/crontab`, `/etc/cron.d`) a line names its user."""

    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """A comment, or a blank line."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A variable for the lines after it."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A time and a command. `time` begins at `start` in the line; `user` stands at `user_start`, in a system crontab."""

    time: str
    start: int
    command: str
    stdin: str | None = None
    user: str | None = None
    user_start: int = 0


class BadSetting(BadExpression):
    """A line that was meant to set the variable `name`."""

    def __init__(self, reason: str, *, name: str, expression: str, start: int) -> None:
        super().__init__(reason, expression=expression, start=start, code="setting")
        self.name = name


def take_apart(line: str, form: Form) -> Remark | Setting | Job:
    """What the line says. Raises `BadExpression` that marks the place in the line, `BadSetting` for a variable."""
    text = line.lstrip(" \t")
    if not text or text.startswith("#"):
        return Remark(text=line.strip())
    if "\0" in line:
        raise _wrong("a NUL byte cannot be part of a crontab", line, line.index("\0"))
    if found := _SETTING.fullmatch(line):
        return _setting(found, line)
    if found := _MEANT_AS_SETTING.match(line):
        reason = (
            'no value that can be read: one is plain or in matching quotes to its end, an empty one is ""'
        )
        raise BadSetting(reason, name=found[1], expression=shown(line), start=found.end())
    return _job(line, form)


def _setting(found: re.Match[str], line: str) -> Setting:
    name = found["quoted_name"] if found["name_quote"] else found["name"]
    value = found["quoted_value"] if found["value_quote"] else found["value"]
    if not name:
        raise _wrong("there is no name before the =", line, line.index("="))
    return Setting(name=name, value=value)


def _job(line: str, form: Form) -> Job:
    words = list(_WORD.finditer(line))
    count = 1 if words[0][0].startswith("@") else FIELD_COUNT
    _check_word(words[0], line)
    if len(words) < count:
        reason = (
            f"a line has {FIELD_COUNT} fields (minute hour day month weekday) and a command, or sets NAME=value; "
            f"this one has {len(words)} word{'s' if len(words) > 1 else ''}"
        )
        raise _wrong(reason, line, len(line.rstrip()))
    user = _user(words, count, line) if form is Form.SYSTEM else None
    last = words[count - 1] if user is None else user
    command, stdin = split_percent(line[last.end() :].lstrip(" \t"))
    if not command.strip():
        raise _wrong(f"there is no command after {last[0]}", line, last.end())
    return Job(
        time=shown(line[words[0].start() : words[count - 1].end()]),
        start=words[0].start(),
        command=command,
        stdin=stdin,
        user=None if user is None else user[0],
        user_start=0 if user is None else user.start(),
    )


def _check_word(word: re.Match[str], line: str) -> None:
    """Is what stands for the whole time, as `@daily` does, known?"""
    if word[0].startswith("@") and word[0].lower() not in (REBOOT, *ALIASES):
        known = ", ".join((*ALIASES, REBOOT))
        raise _wrong(f"{word[0]} is not known; there are {known}", line, word.start(), word.end())


def _user(words: list[re.Match[str]], count: int, line: str) -> re.Match[str]:
    if len(words) == count:
        raise _wrong("there is no user after the time, as in a system crontab", line, len(line.rstrip()))
    return words[count]


def split_percent(text: str) -> tuple[str, str | None]:
    r"""The command, and what it is to read: all after the first `%` that has no backslash, with newlines for others.

    What is read ends with a newline. `\%` is a percent sign in both; no other backslash is touched.
    """
    found = _COMMAND_PART.match(text)
    end = found.end() if found else 0
    command = _BACKSLASHED.sub(lambda pair: "%" if pair[1] == "%" else pair[0], text[:end])
    data = _PERCENT.sub(lambda percent: "%" if len(percent[0]) == 2 else "\n", text[end + 1 :])
    if data and not data.endswith("\n"):
        data += "\n"
    return _TRAILING_BLANKS.sub("", command), data or None


def shown(text: str) -> str:
    """The text as a caret can stand under it: one place for each character."""
    return _CONTROL.sub("\ufffd", text.replace("\t", " "))


def _wrong(reason: str, line: str, start: int, end: int | None = None) -> BadExpression:
    return BadExpression(
        reason, expression=shown(line), start=start, end=start + 1 if end is None else end, code="crontab"
    )
