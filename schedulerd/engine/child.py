"""What a forked process becomes: a flow run, a command, the hooks of a run that ended, or the inspection of a file.

Nothing here returns to the spawner's loop: `become_run` ends the process.
"""

import contextlib
import json
import os
import pwd
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from schedulerd.authoring.redacting import given
from schedulerd.clock import microseconds
from schedulerd.engine import folders, notes
from schedulerd.engine.cgroups import RunCgroups
from schedulerd.engine.doorbell import Doorbell
from schedulerd.engine.flowrun import run_flow
from schedulerd.engine.inspection import look
from schedulerd.engine.journal import Journal
from schedulerd.engine.keeper import keep, stand_between
from schedulerd.engine.leftovers import VARIABLE
from schedulerd.engine.processes import ProcessId, die_with_parent, identify
from schedulerd.engine.recorder import JournalRecorder
from schedulerd.engine.surroundings import CannotSurround, surround

Request = Mapping[str, Any]

_RING_EVERY_SECONDS: Final = 0.05


def become_run(
    folder: int, request: Request | None, *, path: str, spawner: ProcessId, cgroups: RunCgroups
) -> NoReturn:
    """Carry out a taken request in this process, its folder open and at `path`; then end the process.

    It is read from the folder where it is not given.
    """
    status = 70  # EX_SOFTWARE of sysexits(3): our own failure, seen when nothing below says otherwise
    try:
        request = request or folders.read_request(folder)
        lead_session()
        notes.write_process(folder, identify(os.getpid()), spawner)
        cgroups.enter(
            os.path.basename(path), folder
        )  # before the latch file moves: what is killed here has not begun
        if not folders.begin(folder):
            os._exit(0)
        _redirect(folder)
        _mark(path)
        status = _KINDS[request["kind"]](folder, request, spawner)
    except BaseException:  # border: around one child; what escaped is our own, and stands in its stderr
        with contextlib.suppress(BaseException):
            os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def lead_session() -> None:
    """Have this process lead a session and a group of its own, where it does not yet."""
    if os.getsid(0) != os.getpid():
        os.setsid()


def _redirect(folder: int) -> None:
    """Nothing to read; what is written to descriptors 1 and 2 goes to files of the folder."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for descriptor, name in ((1, folders.STDOUT), (2, folders.STDERR)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=folder)
        os.dup2(file, descriptor)
        os.close(file)


def _mark(path: str) -> None:
    """Make this process one of its own: what it leaves behind can be told, and its random numbers are not another's."""
    os.environ[VARIABLE] = path
    numpy = sys.modules.get("numpy")
    if numpy is not None:  # Python's own `random` reseeds itself after a fork
        numpy.random.seed()


def _journal(folder: int, request: Request, ringer: "_Ringer | None" = None) -> Journal:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return Journal(
        os.open(folders.JOURNAL, flags, 0o600, dir_fd=folder),
        wrote=(ringer or _Ringer(request)).wrote,
        make_room=notes.Reserve(folder).give_up,
        redactor=given,
    )


class _Ringer:
    """Tells the daemon that there is something to read: not too often, or where somebody waits for it at once."""

    def __init__(self, request: Request) -> None:
        self._bell = Doorbell(request["state_dir"])
        self._key = b"j" + str(request["key"]).encode()
        self._rung = 0.0
        if "user" in request.get("surroundings", {}):
            self._bell.go_to_the_door()

    def wrote(self) -> None:
        """Something was written."""
        if time.monotonic() - self._rung >= _RING_EVERY_SECONDS:
            self.ring()

    def ring(self) -> None:
        """Somebody waits for what was written to be read."""
        self._rung = time.monotonic()
        self._bell.ring(self._key)

    def whisper(self, name: str, value: str) -> None:
        """Tell the daemon a value that must not lie on disk, for the question of that name; best effort."""
        self._bell.ring(b"s" + json.dumps([self._key[1:].decode(), name, value]).encode())


def _run_flow(folder: int, request: Request, spawner: ProcessId) -> int:
    ringer = _Ringer(request)
    journal = _journal(folder, request, ringer)
    journal.append({"k": "start", "t": microseconds(), "pid": os.getpid()})
    known = folders.read_known(folder)
    os.close(folder)  # no business of user code
    return run_flow(request, journal, known, ring=ringer.ring, whisper=ringer.whisper)


def _run_command(folder: int, request: Request, spawner: ProcessId) -> int:
    """Have a child become the shell, and stay to tell how it ended."""
    journal = _journal(folder, request)
    return keep(lambda: _shell(folder, request, journal), folder, journal, spawner=spawner)


def _shell(folder: int, request: Request, journal: Journal) -> int:
    """Become the shell: from here on this process is the command, and its exit status is the run's."""
    if request.get("stdin"):
        _give_to_read(folder, request["stdin"])
    os.environ.update(_account())
    recorder, keeper = JournalRecorder(journal), os.getppid()
    try:
        surround(request, warn=recorder.warn)
    except CannotSurround as error:
        recorder.end("failed", str(error), None, microseconds())
        return 1
    if not die_with_parent(keeper):  # a change of user takes that back
        return 1
    home, shell = request.get("home"), request.get("shell", "/bin/sh")
    if home and (status := _enter(home)):
        return status
    for sign in (
        signal.SIGPIPE,
        signal.SIGXFSZ,
    ):  # which Python ignores, and a shell's children would inherit
        signal.signal(sign, signal.SIG_DFL)
    return _become(shell, request["command"])


def _account() -> dict[str, str]:
    """Who we are, as the system knows it; the environment of the daemon may be somebody else's."""
    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:
        return {}
    home = os.environ.get("HOME") or account.pw_dir
    return {"LOGNAME": account.pw_name, "USER": account.pw_name, "HOME": home}


def _give_to_read(folder: int, text: str) -> None:
    """Have stdin read this: from a file, which never makes anybody wait, however much it is."""
    notes.write_private(folders.STDIN, text.encode("utf-8", "surrogateescape"), folder=folder)
    file = os.open(folders.STDIN, os.O_RDONLY, dir_fd=folder)
    os.dup2(file, 0)
    os.close(file)


def _enter(home: str) -> int:
    """Go to the folder that a command begins in; the exit status where that cannot be, else 0."""
    try:
        os.chdir(home)
    except OSError as error:
        os.write(2, f"cannot begin in the folder {home} (HOME): {error.strerror}\n".encode())
        return 1
    return 0


def _become(shell: str, command: str) -> int:
    """Returns only where there is no such shell, with the exit status that a shell has for that."""
    try:
        os.execv(shell, [os.path.basename(shell), "-c", command])
    except OSError as error:
        os.write(2, f"cannot run {shell} (SHELL): {error.strerror}\n".encode())
        return 127 if isinstance(error, FileNotFoundError) else 126


def _call_hooks(folder: int, request: Request, spawner: ProcessId) -> int:
    ringer = _Ringer(request)
    journal = _journal(folder, request, ringer)
    journal.append({"k": "start", "t": microseconds(), "pid": os.getpid()})
    os.close(folder)  # no business of user code
    from schedulerd.engine.hooking import call_hooks  # late: few flows have hooks

    return call_hooks(request, journal, ring=ringer.ring, whisper=ringer.whisper)


def _inspect(folder: int, request: Request, spawner: ProcessId) -> int:
    """Have a child load the file: what a file does to its parent must not be done to the spawner, and so to all."""
    return stand_between(lambda: _leave_answer(folder, request))


def _leave_answer(folder: int, request: Request) -> int:
    os.chdir(request["directory"])
    roots = [Path(root) for root in request["roots"]]
    answer = look(request["file"], roots=roots, code=Path(request["code"]))
    notes.write_atomically(folders.ANSWER, json.dumps(answer).encode(), folder=folder)
    return 0


_KINDS: Final[Mapping[str, Callable[[int, Request, ProcessId], int]]] = {
    "flow": _run_flow,
    "command": _run_command,
    "hooks": _call_hooks,
    "inspection": _inspect,
}
