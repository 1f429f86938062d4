"""Runs whose daemon and spawner die, or that do not want to end: what they came to is known, and nothing of them stays."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.service import Service, environment, every_pid, process_state
from tests.waiting import SLOWER, eventually

pytestmark = pytest.mark.timeout(600)

FLOWS = """
import ctypes, os, signal, subprocess, time
from pathlib import Path
from schedulerd import flow

def wait_for(file):
    while not os.path.exists(file):
        time.sleep(0.01)

@flow
def waits(go: str):
    print("begun")
    wait_for(go)
    print("done")

@flow
def leaves_a_program(go: str):
    subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], start_new_session=True)
    print("begun")
    wait_for(go)

@flow(timeout_seconds=3)
def out_of_time():
    print("begun")
    time.sleep(600)

def stay():
    time.sleep(600)

@flow
def sleeping():
    print("begun", flush=True)
    stay()

@flow
def busy():
    print("begun")
    while True:
        pass

@flow
def in_c():
    print("begun")
    3 ** (10 ** 9)

@flow
def in_c_with_a_limit():
    print("begun")
    3 ** (10 ** 9)

@flow
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("begun")
    while True:
        time.sleep(1)

@flow
def refuses():
    print("begun")
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass

@flow
def with_grandchildren():
    stubborn = "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & while :; do sleep 1; done"
    subprocess.Popen(["setsid", "sh", "-c", stubborn])
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(1)
        os._exit(0)
    print("begun")
    time.sleep(600)
"""

COMMANDS = """
[[schedule]]
name = "command"
command = "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo done; exit 3"
at = "2030-01-01T00:00"

[[schedule]]
name = "command-killed"
command = "echo begun; while [ ! -e go ]; do sleep 0.05; done; kill -SEGV $$"
at = "2030-01-01T00:00"
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.drop("flows.py", FLOWS)
    service.schedule("commands.toml", COMMANDS)
    service.start()
    service.wait_for_flow("waits")
    service.wait_for_flow("command")
    yield service
    service.stop()
    assert service.broken_invariants() == []
    service.close()


def _messages(service: Service, key: RunKey) -> list[str]:
    return [line.line.message for line in service.lines(key) if line.line.stream != "system"]


def _begin(service: Service, flow: str, **parameters: object) -> RunKey:
    """Ask for a run, and wait until it has said something."""
    key = service.ask_for(flow, **parameters)
    eventually(lambda: "begun" in _messages(service, key), within=20)
    return key


def _kill_both(service: Service) -> None:
    spawner = service.spawner()
    assert spawner is not None
    os.kill(service.pid, signal.SIGSTOP)  # so that it does not start another spawner in between
    os.kill(spawner, signal.SIGKILL)
    service.kill()


def _processes(service: Service) -> list[int]:
    """The processes that belong to runs of this service."""
    mark = f"SCHEDULERD_RUN_FOLDER={service.state}"
    since = (pid for pid in every_pid() if pid not in service.others)
    return [pid for pid in since if mark in environment(pid) and process_state(pid) not in ("", "Z")]


@pytest.mark.parametrize(
    ("flow", "state", "reason"),
    [
        ("command", RunState.FAILED, "exit status 3"),
        ("command-killed", RunState.CRASHED, "killed by SIGSEGV"),
        ("waits", RunState.COMPLETED, ""),
    ],
)
def test_how_a_run_ended_is_known_though_daemon_and_spawner_were_dead_by_then(
    service: Service, flow: str, state: RunState, reason: str
) -> None:
    go = service.folder / "go"
    parameters = {"go": str(go)} if flow == "waits" else {}
    key = _begin(service, flow, **parameters)
    _kill_both(service)

    go.touch()
    eventually(lambda: not _processes(service), within=15)
    service.start()
    run = service.wait_for_end(key, within=10)

    assert (run.state, run.reason) == (state, reason)
    assert _messages(service, key) == ["begun", *(["done"] if state is not RunState.CRASHED else [])]
    assert run.ended_at is not None
    assert run.started_at is not None


@pytest.mark.parametrize("victims", ["spawner", "both"])
def test_what_an_adopted_run_leaves_behind_is_ended_and_noted(service: Service, victims: str) -> None:
    go = service.folder / "go"
    key = _begin(service, "leaves-a-program", go=str(go))
    if victims == "both":
        _kill_both(service)
        service.start()
    else:
        service.kill_spawner()
    eventually(lambda: service.said("run_adopted"), within=15)

    go.touch()
    run = service.wait_for_end(key, within=15)

    assert run.state is RunState.COMPLETED
    assert any("behind" in line.line.message for line in service.lines(key))
    eventually(lambda: not _processes(service))


def test_the_time_limit_of_a_run_is_kept_by_the_daemon_that_finds_it_without_its_spawner(
    service: Service,
) -> None:
    key = _begin(service, "out-of-time")
    _kill_both(service)

    service.start()
    run = service.wait_for_end(key, within=15)

    assert (run.state, run.reason) == (RunState.TIMED_OUT, "ended at its time limit")


def test_a_limit_ends_a_call_of_c_that_never_returns_within_a_second(service: Service) -> None:
    text = FLOWS.replace("@flow\ndef in_c_with_a_limit", "@flow(timeout_seconds=2)\ndef in_c_with_a_limit")
    assert text != FLOWS
    service.drop("flows.py", text)
    assert service.command("reload").returncode == 0

    run = service.wait_for_end(_begin(service, "in-c-with-a-limit"), within=20)

    assert run.state is RunState.TIMED_OUT
    assert run.started_at is not None
    assert run.ended_at is not None
    took = (run.ended_at - run.started_at).total_seconds()
    assert 2 <= took <= 3 * SLOWER  # a second for the limit; a busy machine is given more


@pytest.mark.parametrize("flow", ["sleeping", "busy", "in-c", "deaf", "refuses", "with-grandchildren"])
def test_a_run_that_is_cancelled_is_cancelled_whatever_it_does_and_nothing_of_it_stays(
    service: Service, flow: str
) -> None:
    key = _begin(service, flow)
    assert service.command("runs", "cancel", service.run(key).selector).returncode == 0

    run = service.wait_for_end(key, within=15)

    assert run.state is RunState.CANCELLED
    eventually(lambda: not _processes(service), within=1 + 4)
    eventually(lambda: not list((service.state / "runs").iterdir()))


@pytest.mark.parametrize("flow", ["deaf", "with-grandchildren"])
def test_an_adopted_run_that_is_cancelled_is_ended_with_all_that_it_started(
    service: Service, flow: str
) -> None:
    key = _begin(service, flow)
    _kill_both(service)
    service.start()
    eventually(lambda: service.said("run_adopted"), within=15)

    assert service.command("runs", "cancel", service.run(key).selector).returncode == 0
    run = service.wait_for_end(key, within=15)

    assert run.state is RunState.CANCELLED
    eventually(lambda: not _processes(service))


def test_twenty_runs_go_on_over_a_restart_and_end_once_with_their_whole_log(service: Service) -> None:
    go = service.folder / "go"
    keys = [service.ask_for("waits", go=str(go)) for _ in range(20)]
    eventually(lambda: sum(service.run(key).state is RunState.RUNNING for key in keys) == 16, within=20)

    service.stop(signal.SIGTERM)
    go.touch()
    service.start()

    for key in keys:
        run = service.wait_for_end(key, within=30)
        assert (run.state, run.attempt) == (RunState.COMPLETED, 1)
        assert _messages(service, key) == ["begun", "done"]


def test_a_spawner_that_hangs_is_replaced_and_the_runs_that_waited_for_it_start(service: Service) -> None:
    spawner = service.spawner()
    assert spawner is not None
    eventually(lambda: "ready" in service.log.read_text())
    os.kill(spawner, signal.SIGSTOP)
    go = service.folder / "go"
    go.touch()
    key = service.ask_for("waits", go=str(go))

    run = service.wait_for_end(key, within=60)

    assert (run.state, run.attempt) == (RunState.COMPLETED, 1)
    assert service.said("spawner_hangs") == 1
    assert service.spawner() != spawner
