"""The health of a daemon: what is wrong now, and what a person can do about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self


class TroubleKind(StrEnum):
    """What can be wrong with a daemon or its machine."""

    DATABASE = "database"
    SPACE = "space"
    FOLDERS = "folders"
    SPAWNER = "spawner"
    PROCESSES = "processes"
    WATCHER = "watcher"
    WEB = "web"
    SCHEDULES = "schedules"
    CLOCK = "clock"
    NOTICES = "notices"
    MONITORS = "monitors"
    WEBHOOKS = "webhooks"
    DRAIN = "drain"


MENDS: Final[Mapping[TroubleKind, str]] = {
    TroubleKind.DATABASE: "nothing is lost: runs go on, and are recorded when it answers again",
    TroubleKind.SPACE: "free some space there; runs start again by themselves",
    TroubleKind.FOLDERS: "see that the daemon's user may write there; runs start again by themselves",
    TroubleKind.SPAWNER: "it is started again by itself; the daemon's log says why it ended",
    TroubleKind.PROCESSES: "end some processes, or raise the limit (`ulimit -u`, TasksMax= of the service)",
    TroubleKind.WATCHER: "it is started again by itself; until then changed files are not noticed",
    TroubleKind.WEB: "it is started again by itself; schedules are not affected",
    TroubleKind.SCHEDULES: "change it in its file; the daemon's log says where it went wrong; others are not affected",
    TroubleKind.NOTICES: "`schedulerd notify sent` shows what is not sent, which is tried again for a day",
    TroubleKind.MONITORS: "see to the `heartbeat` of the schedule; what a monitor was not told is tried again for a day",
    TroubleKind.WEBHOOKS: "`schedulerd secrets set NAME` keeps one (`openssl rand -hex 32` makes one); until then whoever calls is answered 401",
    TroubleKind.DRAIN: "`schedulerd agents resume NAME` has it start runs again; what goes on, and what is due, is kept",
    TroubleKind.CLOCK: "see that the machine's time is kept (`timedatectl`)",
}
"""What to do about each, where the trouble itself does not know better."""

KEEPS_FROM_STARTING: Final = frozenset(
    {
        TroubleKind.DATABASE,
        TroubleKind.SPACE,
        TroubleKind.FOLDERS,
        TroubleKind.SPAWNER,
        TroubleKind.PROCESSES,
        TroubleKind.DRAIN,
    }
)
"""While there is one of these, no runs are started."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One thing that is wrong since a moment. `reason` says what, and `mend` what to do, for a person."""

    kind: TroubleKind
    reason: str
    since: datetime
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs, and for `from_json`."""
        since = self.since.isoformat()
        return {"kind": self.kind.value, "reason": self.reason, "since": since, "mend": self.mend}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `as_json` said; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        return cls(
            kind=TroubleKind(said["kind"]),
            reason=str(said["reason"]),
            since=datetime.fromisoformat(said["since"]),
            mend=str(said["mend"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """All that is wrong now, the oldest first; nothing when all is well."""

    troubles: tuple[Trouble, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Are runs started?"""
        return not self.held_by

    @property
    def held_by(self) -> tuple[Trouble, ...]:
        """What keeps runs from being started."""
        return tuple(trouble for trouble in self.troubles if trouble.kind in KEEPS_FROM_STARTING)
