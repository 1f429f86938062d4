"""The processes in which tasks run: a quiet one, the nursery, is forked from the flow's, and the workers from that.

What is in this file runs in those. The nursery has one thread and does nothing but fork workers and tell how they ended,
so that a worker can be had however many threads the flow's process has by then. A worker carries out calls of tasks, one
after the other, in its main thread; what it logs and prints goes where the flow's does.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from contextvars import copy_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import flow_run, task_run
from schedulerd.authoring.descendants import die_with_parent, kill_tree
from schedulerd.authoring.outcomes import Cancelled, is_cancellation
from schedulerd.authoring.parcels import NotSendable, packed, unpacked
from schedulerd.authoring.redacting import given
from schedulerd.authoring.task_values import TaskTimedOut, value_here

if TYPE_CHECKING:
    from threading import Lock
    from types import FrameType
    from typing import Any, NoReturn

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.parcels import Shared
    from schedulerd.authoring.task_runs import TaskRun

# The first byte of what a worker says.
NUMBER: Final = b"n"  # a task run within this one needs a number
NUMBER_WITHIN: Final = b"w"  # one of a flow that is called within it
SECRETS: Final = b"s"  # what it was given meanwhile, and nobody is to be told
VALUE: Final = b"v"
ERROR: Final = b"e"
TIMED_OUT: Final = b"t"
CANCELLED: Final = b"c"

FORK: Final = b"fork"
END: Final = b"end"  # closing the line is not enough: other processes may have been forked with it
_LOOK_EVERY_SECONDS: Final = 1.0


def become_nursery(control: socket.socket, context: FlowContext, shared: Shared) -> NoReturn:
    """Fork a worker for each `fork`, with the socket that comes along; tell the status of one that is named; end with the flow."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    parent, workers = os.getppid(), set[int]()
    while True:
        if not select.select([control], [], [], _LOOK_EVERY_SECONDS)[0]:
            if os.getppid() == parent:
                continue
            break
        asked, files, _, _ = socket.recv_fds(control, 64, 1)
        if not asked or asked == END:
            break
        if asked == FORK:
            control.send(str(_fork(control, files[0], context, shared, workers)).encode())
        else:
            pid = int(asked)
            workers.discard(pid)
            control.send(str(os.waitpid(pid, 0)[1]).encode())
    for pid in workers:
        kill_tree(pid)
    os._exit(0)


def _fork(control: socket.socket, file: int, context: FlowContext, shared: Shared, workers: set[int]) -> int:
    """The pid of a new worker, or the negative error number when there is no process for it."""
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(file)
        return -(error.errno or 1)
    if pid == 0:
        try:
            control.close()
            if die_with_parent(nursery):
                _Worker(Connection(file), context, shared).work()
        finally:
            os._exit(0)
    os.close(file)
    workers.add(pid)
    return pid


class _Worker:
    """This process, as one in which tasks run."""

    def __init__(self, line: Connection, context: FlowContext, shared: Shared) -> None:
        self._line = line
        self._context = context
        self._shared = shared
        self._is_cancelled = False
        self._secrets = given.forms

    def work(self) -> None:
        """Carry out calls until there are no more, or this is cancelled."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._cancel)
        _reseed()
        self._prepare_context()
        try:
            while not self._is_cancelled:
                content = self._line.recv_bytes()
                answer = copy_context().run(self._answer, content)
                _flush()
                if given.forms != self._secrets:
                    self._secrets = given.forms
                    self._line.send_bytes(SECRETS + packed(self._secrets, self._shared, what="a secret"))
                self._line.send_bytes(answer)
        except (EOFError, OSError, Cancelled):
            return

    def _cancel(self, signum: int, frame: FrameType | None) -> None:
        if not self._is_cancelled:
            self._is_cancelled = True
            raise Cancelled

    def _prepare_context(self) -> None:
        """The flow run as it is here: tasks called within tasks get their numbers from the flow's process, and run here."""
        context = self._context
        from threading import Lock

        lock = Lock()
        context.numbers = _Asked(self._line, lock, NUMBER)
        context.numbers_within = _Asked(self._line, lock, NUMBER_WITHIN)
        context.futures, context.workers, context.known = set(), None, None
        from schedulerd.authoring.runners import ThreadPoolTaskRunner

        context.runner = None
        context.runner_kind = ThreadPoolTaskRunner()

    def _answer(self, content: bytes) -> bytes:
        try:
            said, secrets = unpacked(content, self._shared)
            given.add_forms(secrets)
            self._secrets |= secrets
            run = self._run(said)
        except Exception as error:  # border: values carry code of the user's
            return self._error(NotSendable(f"it cannot be read in the other process: {error!r}"), None)
        flow_run.set(self._context)
        task_run.set(run)
        try:
            value = value_here(run)
            self._context.let_go()
        except TaskTimedOut:
            return TIMED_OUT
        except BaseException as error:  # border: around one task of the user's
            if is_cancellation(error):
                return CANCELLED
            return self._error(error, run)
        try:
            return VALUE + packed(value, self._shared, what=f"what task {run.task.name!r} returned")
        except NotSendable as error:
            return self._error(error, run)

    def _error(self, error: BaseException, run: TaskRun | None) -> bytes:
        from schedulerd.authoring.failures import describe_failure

        failure = (
            describe_failure(error)
            if run is None
            else describe_failure(error, task=run.name, called=run.task.fn)
        )
        try:
            content = packed((error, failure), self._shared, what="the exception")
            unpacked(
                content, self._shared
            )  # one whose class takes other arguments than it holds cannot be made again
        except Exception:
            plain = RuntimeError(f"{failure.type}: {failure.message}")
            content = packed((plain, failure), self._shared, what="the exception")
        return ERROR + content

    def _run(self, said: dict[str, Any]) -> TaskRun:
        from schedulerd.authoring.sent_runs import remade

        return remade(said, self._context)


class _Asked:
    """The numbers of task runs, asked of the flow's process one by one."""

    def __init__(self, line: Connection, lock: Lock, word: bytes) -> None:
        self._line = line
        self._lock = lock
        self._word = word

    def __iter__(self) -> _Asked:
        return self

    def __next__(self) -> int:
        with self._lock:
            self._line.send_bytes(self._word)
            return int(self._line.recv_bytes())


def _reseed() -> None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:  # Python's own `random` reseeds itself after a fork
        numpy.random.seed()


def _flush() -> None:
    """Hand on what was printed, also a last line that has no newline."""
    for stream in (sys.stdout, sys.stderr):
        finish = getattr(stream, "finish", None)
        if finish is not None:
            finish()
        elif stream is not None:
            stream.flush()
