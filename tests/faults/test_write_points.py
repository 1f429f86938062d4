"""kill -9 of the daemon at each write and each sync of one launch, by strace(1): one effect, or one visible crash."""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schedulerd.domain.states import RunState
from tests.requirements import missing
from tests.service import Service
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FLOW = """
import os
from schedulerd import flow

@flow
def effect(file: str):
    print("line 1")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, b"done\\n")
    os.fsync(descriptor)
    print("line 2")
"""
_MOST = 200  # more than any launch has of either call


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    if shutil.which("strace") is None:
        missing("strace", "strace(1) is not installed")
    service = Service(tmp_path)
    service.drop("effect.py", FLOW)
    service.start()
    service.wait_for_flow("effect")
    yield service
    service.close()


@contextmanager
def _killed_at(service: Service, call: str, number: int) -> Iterator[None]:
    """Have the daemon's core thread be killed as it makes this call for the `number`th time from now."""
    tracer = subprocess.Popen(
        [
            "strace",
            *("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"),
            *("-o", "/dev/null", "-p", str(service.pid)),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.wait()
        missing("strace", said.strip())
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            tracer.terminate()
        tracer.communicate()


@pytest.mark.parametrize(
    ("call", "step"),
    [
        ("fdatasync", 1),
        ("pwrite64", 7),
        pytest.param("pwrite64", 1, marks=pytest.mark.nemesis),
    ],
)
def test_a_kill_at_any_write_leaves_one_run_and_one_effect_and_a_sound_database(
    service: Service, tmp_path: Path, call: str, step: int
) -> None:
    killed = 0
    for number in range(1, _MOST, step):
        effects = tmp_path / f"effects-{number}"
        with _killed_at(service, call, number):
            key = service.ask_for("effect", file=str(effects))
            eventually(lambda key=key: _is_over(service, key), within=20)  # type: ignore[misc]
        died = service.process is not None and service.process.poll() is not None
        if died:
            killed += 1
            service.start()
        run = service.wait_for_end(key, within=25)

        assert run.state is RunState.COMPLETED, (number, run.reason)
        assert effects.read_text().splitlines() == ["done"]
        assert [line.line.message for line in service.lines(key)] == ["line 1", "line 2"]
        _check_integrity(service)
        if not died:
            break
    assert killed >= 2, "a launch writes more than once"
    # what the last start looks at is looked at: the folder of a look that a stop cuts short is for the next start
    eventually(lambda: not list((service.state / "runs").iterdir()))
    assert service.stop() == 0
    assert service.broken_invariants() == []
    assert not list((service.state / "runs").iterdir())


def _is_over(service: Service, key: object) -> bool:
    """Has the daemon died, or the run ended?"""
    assert service.process is not None
    return service.process.poll() is not None or service.run(key).ended_at is not None  # type: ignore[arg-type]


def _check_integrity(service: Service) -> None:
    connection = sqlite3.connect(service.state / "schedulerd.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
