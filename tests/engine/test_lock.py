"""The lock on a state directory: one daemon has it, and who only looks keeps nobody from it."""

import fcntl
import os
from pathlib import Path
from threading import Thread

import pytest

from schedulerd.engine.lock import DaemonLock, holder
from schedulerd.errors import AlreadyRunning
from tests.waiting import eventually


def test_a_second_daemon_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = DaemonLock(tmp_path), DaemonLock(tmp_path)
    first.acquire()

    with pytest.raises(AlreadyRunning) as told:
        second.acquire()

    assert told.value.pid == os.getpid()
    first.release()
    second.acquire()
    second.release()


def test_a_daemon_starts_while_somebody_looks_whether_one_runs(tmp_path: Path) -> None:
    looking = os.open(tmp_path / "daemon.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    fcntl.flock(looking, fcntl.LOCK_SH)
    lock = DaemonLock(tmp_path)
    starting = Thread(target=lock.acquire)
    starting.start()

    assert holder(tmp_path) is None
    os.close(looking)

    eventually(lambda: holder(tmp_path) == os.getpid(), within=5)
    starting.join()
    lock.release()
