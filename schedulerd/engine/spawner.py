"""The spawner: a small warm program that forks the runs, reaps them, and ends those that must end.

It is single-threaded and never waits for anything but its one poll. It knows nothing of databases or schedules: it
takes folders by name, and leaves in each how its process ended. When the core goes it stays until its runs have ended.
"""

import argparse
import contextlib
import errno
import gc
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

from schedulerd.clock import microseconds
from schedulerd.engine import wire
from schedulerd.engine.cgroups import RunCgroups
from schedulerd.engine.child import Request, become_run, lead_session
from schedulerd.engine.folders import RunFolders, is_armed, read_request
from schedulerd.engine.forked import Attempt
from schedulerd.engine.immortal import make_immortal_what_is_loaded
from schedulerd.engine.leftovers import LAST_WORDS_SECONDS, Farewell, Leftovers, end_group
from schedulerd.engine.notes import Exit, Word, began_after, leave_word, reserve_notes, write_exit
from schedulerd.engine.preloading import preload, preload_the_usual
from schedulerd.engine.processes import become_subreaper, identify, thread_count
from schedulerd.engine.spares import Spares
from schedulerd.garbage import look_for_garbage_again

_NOT_INHERITED: Final = (
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTERM,
)  # ignored under nohup, or a shell's `&`
_LATEST_SECONDS: Final = 5.0  # how long after it was taken a run begins at the latest, for its time limit
_AT_ONCE: Final = 8  # runs that are taken before the first of them is forked
_STEP_SECONDS: Final = 0.05  # how often processes that are being ended are looked at


class Spawner:
    """Forks runs on request, from when it is `ready`. `serve` returns when the core has gone and the last run has ended."""

    def __init__(self, folders: RunFolders, core: socket.socket, *, spares: int = 0) -> None:
        self._folders = folders
        self._core = core
        self._identity = identify(os.getpid())
        self._core_is_there = True
        self._outgoing: deque[bytes] = deque()
        self._attempts: dict[int, Attempt] = {}
        self._taken: deque[tuple[Attempt, Request]] = deque()  # and not forked yet
        self._cgroups = RunCgroups.below_ours(folders.runs)
        self._leftovers = Leftovers(folders.runs, cgroups=self._cgroups)
        self._spares = Spares(spares, ready=self._become_spare, run=self._become)
        self._wakeup, self._woken = _wakeup_pipe()
        self._inherited = [sign for sign in _NOT_INHERITED if signal.getsignal(sign) is not signal.SIG_DFL]

    def ready(self) -> None:
        """Tell the core that requests are taken: now, or as soon as `serve` is called."""
        self._say(wire.Ready(threads=thread_count()))

    def serve(self) -> None:
        """Take requests until the core has gone; then wait for the runs."""
        while self._core_is_there or self._attempts:
            self._wait()
            self._reap()
            self._hurry()
            self._flush()
            if self._core_is_there:
                self._spares.refill(time.monotonic())

    # -- waiting ------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        if self._core_is_there:
            poll.register(self._core, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        timeout = self._patience(time.monotonic())
        ready = dict(poll.poll(None if timeout is None else timeout * 1_000))
        if self._wakeup in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wakeup, 4096)
        if ready.get(self._core.fileno(), 0) & ~select.POLLOUT:
            self._listen()

    def _patience(self, now: float) -> float | None:
        """Seconds until something is to be done without being asked."""
        if any(
            attempt.kill_at is not None or attempt.exit is not None for attempt in self._attempts.values()
        ):
            return _STEP_SECONDS
        deadlines = [attempt.deadline for attempt in self._attempts.values() if attempt.deadline is not None]
        waits = [max(0.0, deadline - now) for deadline in deadlines]
        refill = self._spares.patience(now) if self._core_is_there else None
        return min(waits if refill is None else [*waits, refill], default=None)

    def _listen(self) -> None:
        to_start: list[str] = []
        while (message := self._heard()) is not None:
            if isinstance(message, wire.Start):
                to_start.append(message.key)
                if len(to_start) < _AT_ONCE:
                    continue
            self._start(to_start)  # before what is said next, which may be about one of them
            to_start = []
            match message:
                case wire.Stop(key=key, why=why, grace=grace):
                    self._stop(key, why, grace)
                case wire.Ping():
                    self._say(wire.Pong())
                case wire.Start():
                    pass
                case _:
                    raise AssertionError(f"the core does not say {message}")
        self._start(to_start)

    def _heard(self) -> wire.Message | None:
        """What the core says; None where it says nothing now, or has gone."""
        try:
            message = wire.receive(self._core)
        except BlockingIOError:
            return None
        if message is None:
            self._core_is_there = False
            self._outgoing.clear()
        return message

    def _say(self, message: wire.Message) -> None:
        if self._core_is_there:
            self._outgoing.append(wire.encode(message))
            self._flush()

    def _flush(self) -> None:
        while self._outgoing and self._core_is_there:
            try:
                self._core.send(self._outgoing[0])
            except BlockingIOError:
                return
            except OSError:  # the core has gone; the poll will say so
                self._outgoing.clear()
                return
            self._outgoing.popleft()

    # -- starting -----------------------------------------------------------------------------------------------

    def _start(self, keys: Sequence[str], *, in_spare: bool = True) -> None:
        """Take the folders of these runs, then fork the runs, then tell of it.

        Not one run after the other: all that is written to after a fork is copied, and so is copied once for them all.
        """
        for key in keys:
            self._take(key)
        taken = [self._fork(in_spare=in_spare) for _ in range(len(self._taken))]
        for attempt in taken:
            if attempt is not None:
                self._say(wire.Taken(key=attempt.key, pid=attempt.pid))

    def _take(self, key: str) -> None:
        folder = self._folders.take(key)
        if folder is None:
            self._say(wire.Gone(key=key))
            return
        try:
            request = read_request(folder)
        except (OSError, ValueError) as error:  # given up, or torn: nothing of it ran
            self._could_not_start(key, folder, error)
            return
        attempt = Attempt.of(key, folder, request)
        try:
            reserve_notes(folder, has_keeper=attempt.has_keeper)
        except OSError as error:  # no room: in a moment there may be
            self._put_back(key, folder, error)
            return
        self._taken.append((attempt, request))

    def _fork(self, *, in_spare: bool) -> Attempt | None:
        """Have the run that was taken first begin; None where it cannot."""
        attempt, request = self._taken.popleft()
        now = time.monotonic()
        try:
            spare = self._spares.hand_over(attempt.key, attempt.folder, now) if in_spare else None
            pid = spare or os.fork()
        except OSError as error:  # no process to be had: in a moment there may be
            self._put_back(attempt.key, attempt.folder, error)
            return None
        if pid == 0:
            try:
                self._forget_everything()
                self._become(attempt.key, attempt.folder, request)
            finally:  # whatever happens, it never comes back as a second spawner
                os._exit(os.EX_SOFTWARE)
        attempt.begin(pid, waited=spare is not None, now=now)
        self._attempts[pid] = attempt
        return attempt

    def _become(self, key: str, folder: int, request: Request | None = None) -> NoReturn:
        path = self._folders.running(key)
        become_run(folder, request, path=path, spawner=self._identity, cgroups=self._cgroups)

    def _become_spare(self) -> None:
        self._forget_everything()
        lead_session()
        self._cgroups.enter_ahead()

    def _put_back(self, key: str, folder: int, error: OSError) -> None:
        """Let it be asked for again: what the machine has not got now is no reason for a run never to be."""
        if not self._folders.put_back(key):
            self._could_not_start(key, folder, error)
            return
        os.close(folder)
        room = error.errno in (errno.ENOSPC, errno.EDQUOT)
        self._say(wire.Refused(key=key, reason=error.strerror or str(error), room=room))

    def _could_not_start(self, key: str, folder: int, error: OSError | ValueError) -> None:
        reason = getattr(error, "strerror", None) or error
        with contextlib.suppress(OSError):
            write_exit(folder, Exit(ended_us=microseconds(), stopped=f"start: {reason}"))
        os.close(folder)
        self._say(wire.Ended(key=key))

    def _forget_everything(self) -> None:
        """In the child: let go of what is the spawner's, the folders of other runs among it."""
        self._spares.let_go()
        for attempt in (*self._attempts.values(), *(attempt for attempt, _ in self._taken)):
            os.close(attempt.folder)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for sign in self._inherited:
            signal.signal(sign, signal.SIG_DFL)
        self._core.close()
        os.close(self._wakeup)
        os.close(self._woken)

    def __contains__(self, pid: object) -> bool:
        """Is this a process that was forked here, for a run or ahead of one? None of them is a leftover of another."""
        return pid in self._attempts or pid in self._spares

    # -- ending -------------------------------------------------------------------------------------------------

    def _stop(self, key: str, why: str, grace: float) -> None:
        attempt = next((one for one in self._attempts.values() if one.key == key), None)
        if attempt is None:
            return
        kill_at = time.monotonic() + grace
        if attempt.stopped is None:
            self._tell(attempt, why)
        attempt.kill_at = kill_at if attempt.kill_at is None else min(attempt.kill_at, kill_at)
        if attempt.farewell is not None:
            attempt.farewell.kill_at = min(attempt.farewell.kill_at, kill_at)

    def _tell(self, attempt: Attempt, why: str) -> None:
        """Tell it to end, politely."""
        attempt.stopped = why
        if attempt.exit is None:
            leave_word(attempt.folder, Word(why))
        if not end_group(attempt.group(), signal.SIGTERM) and attempt.exit is None:
            os.kill(attempt.pid, signal.SIGTERM)  # forked, and not yet the leader of its group

    def _hurry(self) -> None:
        """Enforce time limits, kill what was asked to end and did not, and see off what runs left behind."""
        now = time.monotonic()
        for attempt in list(self._attempts.values()):
            if attempt.exit is not None:
                self._see_off(attempt, now)
            elif attempt.kill_at is not None and now >= attempt.kill_at:
                self._kill(attempt)
            elif attempt.stopped is None and self._is_at_its_limit(attempt, now):
                self._stop(attempt.key, "timeout", min(attempt.grace, LAST_WORDS_SECONDS))

    def _is_at_its_limit(self, attempt: Attempt, now: float) -> bool:
        """Has a run used the time that it may take? What passed before it began is not of it, on a busy machine say."""
        if attempt.deadline is None or now < attempt.deadline:
            return False
        if not attempt.deadline_is_true:
            late = began_after(attempt.folder)
            allowed = _LATEST_SECONDS if late is None else late
            attempt.deadline += min(max(allowed, 0.0), _LATEST_SECONDS)  # by a clock that may have been set
            attempt.deadline_is_true = True
        return now >= attempt.deadline

    def _kill(self, attempt: Attempt) -> None:
        end_group(attempt.group(), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(attempt.pid, signal.SIGKILL)  # a keeper that was stopped would keep a dead command

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            attempt = self._attempts.get(pid)
            if attempt is None:
                self._spares.ended(pid)
            else:
                ended = Exit.of(status, usage, ended_us=microseconds(), stopped=attempt.stopped)
                self._has_ended(attempt, ended)

    def _has_ended(self, attempt: Attempt, ended: Exit) -> None:
        if self._starts_anew(attempt):
            return
        attempt.exit = ended
        now = time.monotonic()
        attempt.farewell = Farewell.begin(now, grace=attempt.grace, kill_at=attempt.kill_at)
        if attempt.leave_children and attempt.stopped is None:
            self._settle(attempt)
        else:
            self._see_off(attempt, now)

    def _starts_anew(self, attempt: Attempt) -> bool:
        """Fork a run whose spare was killed before it began with it: what waits is killed for no fault of the run."""
        if not attempt.waited or attempt.stopped is not None or not is_armed(attempt.folder):
            return False
        if not self._folders.put_back(attempt.key):
            return False
        os.close(attempt.folder)
        del self._attempts[attempt.pid]
        self._start([attempt.key], in_spare=False)
        return True

    def _see_off(self, attempt: Attempt, now: float) -> None:
        """Wait for what a run left behind; end it when it does not end by itself, and kill it after its grace."""
        assert attempt.farewell is not None
        key, group = attempt.key, attempt.group()
        if attempt.farewell.go_on(lambda sign: self._leftovers.end(key, group, sign, known=self), now):
            self._settle(attempt)

    def _settle(self, attempt: Attempt) -> None:
        """The last act of an attempt here: how it ended stands in its folder before anybody is told."""
        assert attempt.exit is not None
        assert attempt.farewell is not None
        with contextlib.suppress(OSError):  # its folder was taken away; the core will see that it is dead
            left = attempt.farewell.left
            write_exit(attempt.folder, replace(attempt.exit, left=left) if left else attempt.exit)
        os.close(attempt.folder)
        del self._attempts[attempt.pid]
        self._say(wire.Ended(key=attempt.key))


def _wakeup_pipe() -> tuple[int, int]:
    """A pipe that becomes readable when a child has ended; its two ends."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written to the pipe
    return reading, writing


def main() -> None:
    """Run as a program: started by the daemon, with one end of a socket pair as an inherited descriptor."""
    arguments = argparse.ArgumentParser(prog="schedulerd-spawner")
    arguments.add_argument("--state-dir", type=Path, required=True)
    arguments.add_argument("--socket", type=int, required=True)
    arguments.add_argument("--preload", action="append", default=[])
    arguments.add_argument("--spares", type=int, default=0)
    options = arguments.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which says what is to end
    become_subreaper()
    core = socket.socket(fileno=options.socket)
    core.setblocking(False)
    os.set_inheritable(options.socket, False)
    preload(options.preload)
    spawner = Spawner(RunFolders(options.state_dir), core, spares=options.spares)
    spawner.ready()
    preload_the_usual()  # the start of the daemon does not wait for it
    if options.preload:
        gc.collect()  # once, for what others have written; what is ours leaves next to nothing
    make_immortal_what_is_loaded()
    look_for_garbage_again()
    spawner.serve()
