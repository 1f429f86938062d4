"""The health of the daemon in a file of the state directory, for those who ask while the database is away.

It is of one size, and written over: on a full disk a new file could not be made.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.health import Health, Trouble

_NAME: Final = "health.json"
_SIZE: Final = 16_384
_LONGEST: Final = 300  # characters of one text: all that can be wrong at once has room
_TRIES: Final = 3  # a file that is just being written over may be seen half


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """What a daemon said of its health, and how long ago: a core that hangs says nothing new.

    `database` are device and inode of the file that it has open as its database, None where that is no file.
    """

    pid: int
    health: Health
    seconds_ago: float
    database: tuple[int, int] | None = None


class HealthFile:
    """The file, as the daemon writes it. Best effort: where there is no room for it, there is none."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / _NAME
        self._descriptor: int | None = None

    def write(self, health: Health, *, database: tuple[int, int] | None = None) -> None:
        """Say how it is now. Never raises."""
        said = {
            "pid": os.getpid(),
            "monotonic": time.monotonic(),  # the same for all processes since the machine's start
            "database": database,
            "troubles": [_cut(trouble.as_json()) for trouble in health.troubles],
        }
        content = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
        try:
            os.pwrite(self._open(), content.ljust(_SIZE)[:_SIZE], 0)
        except OSError:
            self.close()

    def close(self) -> None:
        """Let go of it; a later `write` opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:
            self.close()  # somebody removed it
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o644)
        return self._descriptor


def read_health(state_dir: Path) -> Reported | None:
    """What the daemon of this state directory last said of its health; None when nothing can be read."""
    for _ in range(_TRIES):
        try:
            said = json.loads((state_dir / _NAME).read_bytes())
            troubles = tuple(Trouble.from_json(trouble) for trouble in said["troubles"])
            ago = max(0.0, time.monotonic() - float(said["monotonic"]))
            return Reported(
                pid=int(said["pid"]),
                health=Health(troubles=troubles),
                seconds_ago=ago,
                database=_identity(said.get("database")),
            )
        except OSError:
            return None
        except (ValueError, KeyError, TypeError):
            continue
    return None


def _identity(said: Any) -> tuple[int, int] | None:
    if said is None:
        return None
    device, inode = said
    return int(device), int(inode)


def _cut(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in said.items()}
