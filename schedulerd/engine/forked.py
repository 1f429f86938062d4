"""A run that was forked by the spawner, as the spawner knows it."""

from dataclasses import dataclass

from schedulerd.engine.leftovers import Farewell
from schedulerd.engine.notes import Exit, leader_in


@dataclass(kw_only=True, slots=True)
class Attempt:
    """A run that was forked here. `folder` is an open descriptor; times are monotonic seconds."""

    key: str
    folder: int
    pid: int
    grace: float
    deadline: float | None
    has_keeper: bool = False
    leave_children: bool = False
    deadline_is_true: bool = False  # it counts from when the run began, and not from when it was taken
    waited: bool = False  # its process is one that was forked ahead
    stopped: str | None = None
    kill_at: float | None = None
    exit: Exit | None = None  # set when its process has ended and only what it left behind is waited for
    farewell: Farewell | None = None  # to that

    def group(self) -> int:
        """The process group of the run: that of the process named in its folder, the shell of a command for one."""
        return (leader_in(self.folder) if self.has_keeper else None) or self.pid
