"""The keeper of a command, or of an inspection: its parent, which waits for it and ends as it did.

That of a command writes into the journal how it ended: only a parent learns an exit status. With the spawner as
the only one, a command that outlives daemon and spawner would have done its work with nobody to say so.
"""

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from threading import Event
from typing import Final, NoReturn

from schedulerd.clock import microseconds
from schedulerd.engine.journal import Journal
from schedulerd.engine.notes import reserved_again, write_process
from schedulerd.engine.processes import ProcessId, die_with_parent, identify

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


def keep(command: Callable[[], int], folder: int, journal: Journal, *, spawner: ProcessId) -> int:
    """Run `command` in a child that leads a session of its own; its exit status, once that stands in the journal.

    A signal that ended it ends this process too, so that the spawner sees the same. `command` replaces its process, or
    returns the status with which that ends.
    """
    keeper = identify(os.getpid())
    reserved_again(folder)
    pid = _fork()
    if pid == 0:
        _become(command, folder, journal, keeper=keeper, spawner=spawner)
    journal.append({"k": "start", "t": microseconds(), "pid": pid})
    code = _wait(pid)
    journal.append({"k": "exit", "t": microseconds(), "c": code})
    return code if code >= 0 else _end_by(-code)


def stand_between(work: Callable[[], int]) -> int:
    """Do `work` in a child; its exit status. What `work` does to its parent is done to this process, and not to ours.

    The child stays in our group, and dies with us. A signal that ended it ends this process too.
    """
    keeper = os.getpid()
    pid = _fork()
    if pid == 0:
        os._exit(work() if die_with_parent(keeper) else 70)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # sent by the child, it ends us as any other signal does
    code = _wait(pid)
    return code if code >= 0 else _end_by(-code)


def _wait(pid: int) -> int:
    _, status, _ = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _fork() -> int:
    """Fork; where the machine has no process to give, wait for one: nothing of the command has happened yet."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return os.fork()
        except OSError:
            Event().wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _become(
    command: Callable[[], int], folder: int, journal: Journal, *, keeper: ProcessId, spawner: ProcessId
) -> NoReturn:
    status = 70  # EX_SOFTWARE of sysexits(3)
    try:
        os.setsid()
        if die_with_parent(keeper.pid):  # else it is gone already, and nobody would learn how this ended
            write_process(folder, identify(os.getpid()), keeper, spawner)
            status = command()
    except (
        BaseException
    ) as error:  # border: nothing of the command ran, and its exit status would be no reason
        message = f"could not be started: {error}"
        with contextlib.suppress(BaseException):
            journal.append({"k": "end", "t": microseconds(), "s": "crashed", "m": message})
    finally:
        os._exit(status)


def _end_by(number: int) -> int:
    """End as the command did; a signal that does not end this process becomes a status, as a shell has it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the core, if any, is the command's
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number
