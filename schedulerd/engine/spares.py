"""Processes forked ahead: each waits for one run, and becomes it when it comes.

A fork, and moving a process between cgroups, take milliseconds, and many of them when many runs are due together. Done
ahead, while nothing else is to do, they are not waited for. Apache's prefork server (MinSpareServers) is the model. Where
no spare is left, or none is wanted, runs are forked when they come, and nothing else differs.
"""

import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from schedulerd.engine.processes import die_with_parent, live_without_parent

IDLE_SECONDS: Final = 0.1
"""How long nothing has been started when the next spare is made: not while a burst goes on, which it would slow down."""

_PAUSE_SECONDS: Final = 5.0  # after a fork that failed
_LONGEST_KEY: Final = 256

Run = Callable[[str, int], NoReturn]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spare:
    pid: int
    line: socket.socket


class Spares:
    """Up to `wanted` processes that wait. For the spawner's one thread.

    `ready` is called in a new one, to let go of what is the spawner's and get as far as it can; `run` with the key and the
    open folder of the run that it becomes. Neither is called in the spawner.
    """

    def __init__(self, wanted: int, *, ready: Callable[[], None], run: Run) -> None:
        self._wanted = wanted
        self._ready = ready
        self._run = run
        self._waiting: deque[_Spare] = deque()
        self._make_at = float("-inf")

    def __contains__(self, pid: object) -> bool:
        """Is this one of those that wait?"""
        return any(spare.pid == pid for spare in self._waiting)

    def patience(self, now: float) -> float | None:
        """Seconds until the next is to be made, None when there are enough; `now` is monotonic."""
        return max(0.0, self._make_at - now) if len(self._waiting) < self._wanted else None

    def refill(self, now: float) -> None:
        """Make one more, if one is wanted and it is time. Never raises: where the machine has none to give, it tries later."""
        if len(self._waiting) >= self._wanted or now < self._make_at:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            self._make_at = now + _PAUSE_SECONDS
            return
        if pid == 0:
            ours.close()
            self._wait_for_run(theirs, parent)
        theirs.close()
        self._waiting.append(_Spare(pid=pid, line=ours))

    def hand_over(self, key: str, folder: int, now: float) -> int | None:
        """Have the one that has waited longest become a run; its pid, None where none is there to take it."""
        self._make_at = now + IDLE_SECONDS
        while self._waiting:
            spare = self._waiting.popleft()
            with spare.line as line, contextlib.suppress(OSError):  # it has been killed: the next one
                socket.send_fds(line, [key.encode()], [folder])
                return spare.pid
        return None

    def ended(self, pid: int) -> None:
        """A process has ended; if it was one that waited, it does so no more."""
        for spare in [one for one in self._waiting if one.pid == pid]:
            spare.line.close()
            self._waiting.remove(spare)

    def let_go(self) -> None:
        """In a child: hold nothing of those that wait, so that each hears of the spawner's end, and of no run."""
        for spare in self._waiting:
            spare.line.close()
        self._waiting.clear()

    def _wait_for_run(self, line: socket.socket, parent: int) -> NoReturn:
        try:
            self.let_go()
            self._ready()
            if die_with_parent(parent):
                key, folder = _receive(line)
                line.close()
                live_without_parent()
                self._run(key, folder)
        finally:  # the spawner has gone, or lets us go
            os._exit(0)


def _receive(line: socket.socket) -> tuple[str, int]:
    """The run that comes; raises `EOFError` when none will."""
    key, folders, _, _ = socket.recv_fds(line, _LONGEST_KEY, 1)
    if not key or not folders:
        raise EOFError
    os.set_inheritable(folders[0], False)
    return key.decode(), folders[0]
