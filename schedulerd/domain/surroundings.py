"""What surrounds a run: who it runs as, where, and how much of the machine each of its processes may use. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Final

from schedulerd.domain.durations import duration_text
from schedulerd.domain.sizes import size_text

UNLIMITED: Final = 0
"""The amount of somebody who wants no limit, whatever the settings say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What is None is for a run as it is for the daemon, or as the settings say; an amount may be `UNLIMITED`.

    `user` is an account's name. `directory` is where the run works, and `env_file` holds variables for it; relative
    ones are relative to the daemon's `directory`. With `leave_children` what the run leaves behind may go on.
    """

    user: str | None = None
    directory: str | None = None
    env_file: str | None = None
    umask: int | None = None
    nice: int | None = None
    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    open_files: int | None = None
    leave_children: bool = False

    def within(self, usual: "Surroundings") -> "Surroundings":
        """These, and where they say nothing, the usual ones."""
        return usual if self == NOTHING_SAID else replace(usual, **self.as_json())

    def as_json(self) -> dict[str, Any]:
        """What they say, without what they do not."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in said.items() if value is not None and value is not False}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Surroundings":
        """The surroundings that `as_json` gave."""
        return cls(**json)


NOTHING_SAID: Final = Surroundings()


def time_limit(seconds: float | None, usual: timedelta | None) -> timedelta | None:
    """How long a run may take whose flow says so many seconds, or nothing; None for as long as it likes."""
    limit = usual if seconds is None else timedelta(seconds=seconds)
    return limit or None


def used_up_cpu(seconds: int) -> str:
    """Why a run ended that had so much processor time, and used it."""
    return f"used up its cpu_time of {duration_text(timedelta(seconds=seconds))}"


def has_memory(size: int) -> str:
    """What a run that ended for want of memory had."""
    return f"its memory is limited to {size_text(size)}"
