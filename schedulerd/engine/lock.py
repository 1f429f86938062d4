"""Who holds a state directory: one daemon at a time, told by a lock that the kernel lets go of when it dies."""

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from schedulerd.errors import AlreadyRunning, NotPermitted

_LOCK: Final = "daemon.lock"
_STOP: Final = "stop.json"
_RELOADED: Final = "reloaded"
_TRIES: Final = 50
_PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class StopOrder:
    """How a daemon is to stop, where that is not what its settings say; `patience` in seconds, for a drain."""

    how: str
    patience: float = 0.0


class DaemonLock:
    """The lock on a state directory, held until the process ends or `release` is called."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and note our pid in it; raises `AlreadyRunning` with the holder's."""
        descriptor = os.open(self._state_dir / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._lock(descriptor)
        except AlreadyRunning:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        # an order for an earlier daemon, which died before it read it
        (self._state_dir / _STOP).unlink(missing_ok=True)

    def _lock(self, descriptor: int) -> None:
        """Take it at once from nobody; who only looks whether it is held (`holder`) has it for microseconds."""
        pause = Event()
        for tries_left in reversed(range(_TRIES)):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                pid = holder(self._state_dir)
                if pid is not None or not tries_left:
                    raise AlreadyRunning(self._state_dir, pid) from error
                pause.wait(_PAUSE_SECONDS)

    def release(self) -> None:
        """Let go of it; may be called twice."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def holder(state_dir: Path) -> int | None:
    """The pid of the daemon that holds this state directory, None when none does."""
    try:
        descriptor = os.open(state_dir / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def order_stop(state_dir: Path, order: StopOrder) -> None:
    """Leave word of how to stop, for the signal that follows; raises `NotPermitted`."""
    draft = state_dir / f".{_STOP}.{os.getpid()}"
    # Never through a link: root may be the one who orders, in a folder where the service's user may put what it likes.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, flags, 0o600)
    except PermissionError as error:
        raise NotPermitted(f"cannot write to {state_dir}: {error.strerror}") from error
    with open(descriptor, "w") as file:
        if os.geteuid() == 0:  # the daemon may be another user's, and must be able to read it
            owner = os.stat(state_dir)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        json.dump({"how": order.how, "patience": order.patience}, file)
    draft.rename(state_dir / _STOP)


def take_stop_order(state_dir: Path) -> StopOrder | None:
    """The order that was left, once; None when there is none."""
    try:
        text = (state_dir / _STOP).read_text()
        (state_dir / _STOP).unlink()
        return StopOrder(**json.loads(text))
    except (OSError, ValueError, TypeError):
        return None


def note_reload(state_dir: Path) -> None:
    """Leave word that the files were read again; best effort."""
    with contextlib.suppress(OSError):
        draft = state_dir / f".{_RELOADED}"
        draft.write_text(f"{time.monotonic_ns()}\n")
        draft.rename(state_dir / _RELOADED)


def last_reload(state_dir: Path) -> str:
    """What tells one reload of this state directory from the next."""
    try:
        return (state_dir / _RELOADED).read_text()
    except OSError:
        return ""
