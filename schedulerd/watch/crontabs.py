"""Crontabs as they are understood: values. Pure, but for who a user is."""

import pwd
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.errors import BadDefinition
from schedulerd.watch.crontab_directives import Directive
from schedulerd.watch.crontab_lines import Form, Remark, Setting

SUFFIX: Final = ".crontab"


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """The user whose crontab it is, as the system knows it."""

    name: str
    home: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What a crontab is read with: where it is from, and what its lines do not say. `prefix` begins each name."""

    path: str
    prefix: str
    timezone: str
    owner: Owner
    form: Form = Form.USER


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A command that is held back by an error on another line."""

    by: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line, what it says, and what is worth knowing of that.

    `name` is that of the schedule, also where what the line says of it cannot be taken; None where it cannot be told.
    """

    number: int
    source: str
    said: Remark | Setting | Directive | ScheduleDefinition | Held | BadDefinition
    note: str = ""
    name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Crontab:
    """A crontab as it was understood, line by line."""

    path: str
    lines: tuple[Line, ...]

    @property
    def definitions(self) -> tuple[ScheduleDefinition, ...]:
        """The schedules of its good lines."""
        return tuple(line.said for line in self.lines if isinstance(line.said, ScheduleDefinition))

    @property
    def errors(self) -> tuple[BadDefinition, ...]:
        """What is wrong with it, in the order of its lines."""
        return tuple(line.said for line in self.lines if isinstance(line.said, BadDefinition))

    @property
    def broken(self) -> frozenset[str]:
        """The names of schedules that its lines say nothing good of."""
        return frozenset(
            line.name for line in self.lines if line.name and isinstance(line.said, BadDefinition | Held)
        )

    @property
    def hides_names(self) -> bool:
        """Is there a broken line of which it cannot be told which schedule it is?"""
        return any(isinstance(line.said, BadDefinition) and line.name is None for line in self.lines)


def own_account(uid: int) -> Owner:
    """The user as the system knows it; one that has no account is at home in the root folder, as in cron(8)."""
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return Owner(name=str(uid), home="/")
    return Owner(name=account.pw_name, home=account.pw_dir)
