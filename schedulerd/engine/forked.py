"""A run that the spawner forks, as the spawner knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from schedulerd.engine.leftovers import Farewell
from schedulerd.engine.notes import Exit, leader_in


@dataclass(kw_only=True, slots=True)
class Attempt:
    """A run whose folder was taken, and then forked, here. `folder` is an open descriptor; times are monotonic seconds."""

    key: str
    folder: int
    grace: float
    limit: float | None
    has_keeper: bool
    leave_children: bool
    pid: int = 0
    deadline: float | None = None
    deadline_is_true: bool = False  # it counts from when the run began, and not from when it was taken
    waited: bool = False  # its process is one that was forked ahead
    stopped: str | None = None
    kill_at: float | None = None
    exit: Exit | None = None  # set when its process has ended and only what it left behind is waited for
    farewell: Farewell | None = None  # to that

    @classmethod
    def of(cls, key: str, folder: int, request: Mapping[str, Any]) -> Self:
        """That of a request, which was taken and is not forked yet."""
        limit = request.get("timeout_seconds")
        return cls(
            key=key,
            folder=folder,
            grace=float(request["grace"]),
            limit=None if limit is None else float(limit),
            has_keeper=request["kind"] == "command",
            leave_children=bool(request.get("surroundings", {}).get("leave_children")),
        )

    def begin(self, pid: int, *, waited: bool, now: float) -> None:
        """It was given to this process, which `waited` for a run or was forked for it, now."""
        self.pid, self.waited = pid, waited
        self.deadline = None if self.limit is None else now + self.limit

    def group(self) -> int:
        """The process group of the run: that of the process named in its folder, the shell of a command for one."""
        return (leader_in(self.folder) if self.has_keeper else None) or self.pid
