"""Processes for the tasks of one flow run, seen from the flow's own. What runs in them is in `nursery.py`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.descendants import kill_tree
from schedulerd.authoring.nursery import (
    CANCELLED,
    END,
    ERROR,
    FORK,
    NUMBER,
    NUMBER_WITHIN,
    SECRETS,
    TIMED_OUT,
    become_nursery,
)
from schedulerd.authoring.outcomes import Cancelled
from schedulerd.authoring.parcels import Shared, packed, unpacked
from schedulerd.authoring.redacting import given
from schedulerd.authoring.sent_runs import told
from schedulerd.authoring.task_values import TaskTimedOut
from schedulerd.authoring.tasks import Task
from schedulerd.domain.signal_names import signal_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.task_runs import TaskRun
    from schedulerd.domain.failures import Failure

_PATIENCE_SECONDS: Final = (
    0.5  # of a task that is over its time: what is not in C has met its exception by then
)
_LAST_WORDS_SECONDS: Final = 5.0  # of tasks that are cancelled


class ProcessDied(RuntimeError):
    """The process in which a task ran went away before the task had ended."""


class TracebackElsewhere(Exception):
    """Where an exception was raised, in another process; its cause, for whoever reads the traceback."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.traceback)
        self.place = failure.file, failure.line

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Worker:
    """A process that carries out calls of tasks. `status` is how it ended, once that is known."""

    def __init__(self, pid: int, line: Connection) -> None:
        self.pid = pid
        self.line = line
        self.end = os.pidfd_open(pid)  # readable once it has ended
        self.status: int | None = None

    def has_ended(self) -> bool:
        """Is it gone?"""
        return bool(wait([self.end], 0))

    def dismiss(self) -> None:
        """There are no more calls for it: it ends."""
        self.line.close()


class Workers:
    """The workers of a flow run: each call of `call` has one for itself. Made where the flow's process is still quiet."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._shared = Shared(tasks_around(context))
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._is_over = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        self._pid = _forked()
        if self._pid == 0:
            try:
                ours.close()
                become_nursery(theirs, context, self._shared)
            finally:
                os._exit(70)
        theirs.close()

    def call(self, run: TaskRun) -> Any:
        """Call the task of this run in one of the processes, which stays for others; see `call_once`."""
        return self._call(run, again=True)

    def call_once(self, run: TaskRun) -> Any:
        """What the task returns, called in a process of its own; raises what it raises.

        Raises `TaskTimedOut` at its limit, wherever it stands then, and `ProcessDied` when the process goes away.
        """
        return self._call(run, again=False)

    def _call(self, run: TaskRun, *, again: bool) -> Any:
        content = packed((told(run), given.forms), self._shared, what=f"the call of task {run.task.name!r}")
        worker = self._take()
        is_well = False
        try:
            answer = self._exchange(worker, content, run)
            is_well = answer[:1] not in (TIMED_OUT, CANCELLED)
        except BaseException as error:
            if not isinstance(error, Exception):
                _ask_to_end([worker])
            raise
        finally:
            self._give_back(worker, is_well=is_well, again=again)
        return self._understood(answer, run)

    def _exchange(self, worker: Worker, content: bytes, run: TaskRun) -> bytes:
        line, limit = worker.line, run.task.timeout_seconds
        until = None if limit is None else monotonic() + limit + _PATIENCE_SECONDS
        with suppress(OSError):  # it has gone: found out below
            line.send_bytes(content)
        while True:
            ready = wait([line, worker.end], None if until is None else max(0.0, until - monotonic()))
            if not ready:
                return TIMED_OUT
            try:
                said = line.recv_bytes() if line in ready else b""
            except (EOFError, OSError):
                said = b""
            if not said:
                raise self._died(worker, run)
            if said[:1] == SECRETS:
                given.add_forms(unpacked(said[1:], self._shared))
                continue
            if said not in (NUMBER, NUMBER_WITHIN):
                return said
            numbers = self._context.numbers if said == NUMBER else self._context.numbers_within
            line.send_bytes(str(next(numbers)).encode())

    def _understood(self, answer: bytes, run: TaskRun) -> Any:
        kind, content = answer[:1], answer[1:]
        if kind == TIMED_OUT:
            raise TaskTimedOut(run.task)
        if kind == CANCELLED:
            raise Cancelled
        made = unpacked(content, self._shared)
        if kind != ERROR:
            return made
        error: BaseException
        failure: Failure
        error, failure = made
        run.told = (error, failure)
        error.__cause__ = TracebackElsewhere(failure)
        raise error

    def _died(self, worker: Worker, run: TaskRun) -> BaseException:
        with self._lock:
            if self._is_over:
                return Cancelled()
            status = self._reap(worker)
        return ProcessDied(f"the process of task {run.task.name!r} {_ended(status)}")

    # -- processes ----------------------------------------------------------------------------------------------

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if not worker.has_ended():
                    break
                self._reap(worker)
            else:
                worker = self._forked_worker()
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: Worker, *, is_well: bool, again: bool) -> None:
        """It has done what it was to; one that is not well is killed, with all that it started."""
        with self._lock:
            self._busy.discard(worker)
            if worker.status is not None or self._is_over:
                return
            if not is_well:
                kill_tree(worker.pid)
            elif again:
                self._idle.append(worker)
                return
            self._reap(worker)

    def _forked_worker(self) -> Worker:
        if self._is_over:
            raise Cancelled
        ours, theirs = socket.socketpair()
        with theirs:
            pid = int(self._ask(FORK, theirs.fileno()))
        if pid < 0:
            ours.close()
            raise OSError(-pid, f"there is no process for a task: {os.strerror(-pid)}")
        return Worker(pid, Connection(ours.detach()))

    def _reap(self, worker: Worker) -> int:
        """Let a worker end, where it has not; how it did."""
        worker.dismiss()
        worker.status = status = int(self._ask(str(worker.pid).encode()))
        return status

    def _ask(self, what: bytes, *files: int) -> bytes:
        socket.send_fds(self._control, [what], files)
        answer = self._control.recv(64)
        if not answer:
            raise ProcessDied("the process from which those of tasks are forked is gone")
        return answer

    def end(self) -> None:
        """End them all. What goes on is asked to end, as it is where a run is cancelled, and killed where it does not."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            busy, idle = list(self._busy), list(self._idle)
        _ask_to_end(busy)
        for worker in (*busy, *idle):
            worker.dismiss()
        with suppress(OSError), self._control:
            self._control.send(END)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def tasks_around(context: FlowContext) -> Iterator[Task]:
    """The tasks that a flow can see: those of its module, of the function around it, and of its graph."""
    flow: Any = context.flow
    seen: dict[int, Task] = {}
    fn = getattr(flow, "fn", None)
    values = [*getattr(fn, "__globals__", {}).values(), *(node.task for node in getattr(flow, "nodes", ()))]
    for cell in getattr(fn, "__closure__", None) or ():
        with suppress(ValueError):  # one that is still empty
            values.append(cell.cell_contents)
    for value in values:
        if isinstance(value, Task):
            seen.setdefault(id(value), value)
    return iter(seen.values())


def _forked() -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what is written later is not to be written twice
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads there are few this early
        return os.fork()


def _ask_to_end(workers: list[Worker]) -> None:
    """Have them break off what they do; those that do not in time are killed."""
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGTERM)
    until = monotonic() + _LAST_WORDS_SECONDS
    for worker in workers:
        if not wait([worker.end], max(0.0, until - monotonic())):
            kill_tree(worker.pid)


def _ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"was killed by signal {number} ({signal_name(number)})"
    return f"ended with exit status {os.WEXITSTATUS(status)} before the task had"
