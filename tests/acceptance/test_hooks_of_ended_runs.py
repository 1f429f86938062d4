"""Hooks of runs that ended in every way, called once by a real daemon, whatever is killed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine
from schedulerd.domain.states import RunState
from tests.service import Service, process_state
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

FLOWS = """
import ctypes, os, signal, subprocess, sys, time
from schedulerd import Flow, flow, get_run_logger, task
from schedulerd.blocks.system import Secret
from schedulerd.events import emit_event
from schedulerd.variables import Variable

FILE = os.environ.get("EFFECTS", "effects")

def note(*words):
    descriptor = os.open(FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, (" ".join(map(str, words)) + "\\n").encode())
    os.close(descriptor)

def tell(flow, flow_run, state):
    note(flow.name, flow_run.run_count, state.name, state.message or "-")

ALL = dict(on_completion=[tell], on_failure=[tell], on_cancellation=[tell], on_crashed=[tell])

@flow(**ALL)
def completes(number: int = 1):
    return {"number": number}

@flow(**ALL)
def fails():
    raise ValueError("no rows")

@flow(timeout_seconds=1, **ALL)
def out_of_time():
    libc = ctypes.CDLL(None)
    libc.usleep.argtypes = [ctypes.c_uint]
    for _ in range(3):
        ctypes.PyDLL(None).usleep(600_000_000)

@flow(**ALL)
def sleeps():
    print("asleep")
    time.sleep(600)

@flow(**ALL)
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("asleep")
    while True:
        time.sleep(600)

@flow(retries=2, **ALL)
def tried_again():
    note("attempt", os.environ["SCHEDULERD_ATTEMPT"])
    raise ValueError("again")

def with_all(flow, flow_run, state):
    get_run_logger().warning("logged by a hook")
    print("printed by a hook")
    os.write(1, b"written by a hook\\n")
    note(flow_run.parameters, state.result(), flow_run.scheduled_start_time is not None, os.getcwd(),
         os.environ["SCHEDULERD_RUN_NUMBER"], os.getsid(0) == os.getpid())

@flow(on_completion=[with_all])
def told(number: int = 1):
    return {"number": number}

def broken(flow, flow_run, state):
    raise KeyError("colour")

def leaves(flow, flow_run, state):
    sys.exit(3)

@flow(on_completion=[broken, leaves, tell])
def with_broken_hooks():
    return 1

def hangs(flow, flow_run, state):
    child = subprocess.Popen(["setsid", "sleep", "600"])
    note("hung", os.getpid(), child.pid)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)

@flow(on_failure=[hangs, tell])
def with_a_hook_that_hangs():
    raise ValueError("x")

@flow(on_running=[tell])
def begins():
    return 1

def asks(flow, flow_run, state):
    address = Secret.load("webhook").get()
    Variable.set("last_failed", flow_run.flow_name, overwrite=True)
    note("asked", len(address), Variable.get("channel", default="none"), Variable.get("last_failed"))
    print("posted to", address)
    os.write(1, f"raw to {address}\\n".encode())
    emit_event("told", {"id": "x"})

@flow(on_failure=[asks])
def with_a_hook_that_asks():
    raise ValueError("x")

def handle(flow, old, new):
    note(flow.name, type(old).__name__, type(new).__name__)

def handle_failure(flow, state):
    note(flow.name, "on_failure", state.message)

@task
def divide():
    return 1 / 0

with Flow("graph", state_handlers=[handle], on_failure=handle_failure) as graph:
    divide()
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("hooks"), settings='hook_timeout = "2s"')
    service.drop("hooks.py", FLOWS)
    service.start()
    service.wait_for_flow("graph")
    yield service
    assert service.stop() == 0
    assert not list((service.state / "runs").iterdir())
    assert service.broken_invariants() == []
    service.close()


def effects(service: Service) -> list[str]:
    """What the flows and hooks of this module noted."""
    file = service.folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def of(service: Service, flow: str) -> list[str]:
    return [line for line in effects(service) if line.startswith(f"{flow} ")]


def _is_gone(pid: int) -> bool:
    return process_state(pid) in ("", "Z")


def log_of(service: Service, key: RunKey) -> list[LogLine]:
    return [one.line for one in service.lines(key)]


def end_of(service: Service, flow: str, **parameters: object) -> RunKey:
    key = service.ask_for(flow, **parameters)
    service.wait_for_end(key, within=30)
    service.wait_for_hooks()
    return key


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        ("completes", "completes 1 Completed -"),
        ("fails", "fails 1 Failed ValueError: no rows"),
        ("out-of-time", "out-of-time 1 TimedOut ended at its time limit"),
    ],
)
def test_the_hooks_of_a_run_are_called_once_with_its_state(service: Service, flow: str, told: str) -> None:
    end_of(service, flow)

    assert of(service, flow) == [told]


@pytest.mark.parametrize("flow", ["sleeps", "deaf"])
def test_a_run_that_is_cancelled_has_its_hooks_called_whatever_it_did_with_sigterm(
    service: Service, flow: str
) -> None:
    key = service.ask_for(flow)
    eventually(lambda: service.lines(key), within=20)

    assert service.command("runs", "cancel", service.run(key).selector).returncode == 0
    run = service.wait_for_end(key, within=30)
    service.wait_for_hooks()

    assert run.state is RunState.CANCELLED
    (told,) = [line for line in of(service, flow) if "Cancelled" in line]
    assert told.startswith(f"{flow} 1 Cancelled ")


def test_a_run_that_is_killed_has_its_hooks_called(service: Service) -> None:
    key = service.ask_for("sleeps")
    eventually(lambda: service.lines(key), within=20)

    service.kill_run(key)
    service.wait_for_end(key, within=30)
    service.wait_for_hooks()

    assert [line for line in of(service, "sleeps") if "Crashed" in line] == [
        "sleeps 1 Crashed killed by SIGKILL"
    ]


def test_only_the_last_attempt_has_its_hooks_called(service: Service) -> None:
    end_of(service, "tried-again")

    assert of(service, "attempt") == ["attempt 1", "attempt 2", "attempt 3"]
    assert of(service, "tried-again") == ["tried-again 3 Failed ValueError: again"]


def test_a_hook_is_given_what_the_run_had_and_returned_and_its_words_are_in_the_log(service: Service) -> None:
    key = end_of(service, "told", number=7)

    number = service.run(key).number
    assert effects(service)[-1] == f"{{'number': 7}} {{'number': 7}} True {service.folder} {number} True"
    said = {line.message: line.level for line in log_of(service, key)}
    assert said["logged by a hook"] == 30
    assert {"printed by a hook", "written by a hook"} <= said.keys()


def test_a_hook_that_fails_is_told_of_and_the_next_is_called_and_the_run_is_what_it_was(
    service: Service,
) -> None:
    key = end_of(service, "with-broken-hooks")

    file = service.flows / "hooks.py"
    line = FLOWS.splitlines().index('    raise KeyError("colour")') + 1
    left = FLOWS.splitlines().index("def leaves(flow, flow_run, state):") + 1
    assert [one.message for one in log_of(service, key) if one.level >= 40] == [
        f"hook broken ({file}:{line}) raised KeyError: 'colour'",
        f"hook leaves ({file}:{left}) called sys.exit(3)",
    ]
    assert of(service, "with-broken-hooks") == ["with-broken-hooks 1 Completed -"]
    assert service.run(key).state is RunState.COMPLETED


def test_a_hook_that_hangs_is_killed_at_the_limit_with_what_it_started(service: Service) -> None:
    key = end_of(service, "with-a-hook-that-hangs")

    (hung,) = of(service, "hung")
    for pid in map(int, hung.split()[1:]):
        eventually(partial(_is_gone, pid))
    line = FLOWS.splitlines().index("def hangs(flow, flow_run, state):") + 1
    _, said = [
        one.message for one in log_of(service, key) if one.level >= 40
    ]  # the first says why the run failed
    assert said.startswith(
        f"hook hangs ({service.flows / 'hooks.py'}:{line}) was cut short: "
        "it did not end within 2s (`hook_timeout`)"
    )
    assert of(service, "with-a-hook-that-hangs") == []
    assert service.run(key).state is RunState.FAILED


def test_a_hook_is_given_variables_and_secrets_and_these_are_not_shown(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "value").write_text("https://hooks.example/T0/B0")
    done = service.command("secrets", "set", "webhook", "--from-file", str(tmp_path / "value"))
    assert done.returncode == 0, done.stderr
    assert service.command("variables", "set", "channel", "ops").returncode == 0

    key = end_of(service, "with-a-hook-that-asks")

    assert of(service, "asked") == ["asked 27 ops with-a-hook-that-asks"]
    said = [one.message for one in log_of(service, key)]
    assert not any("hooks.example" in message for message in said)
    assert len([message for message in said if message.startswith(("posted to ", "raw to "))]) == 2
    events = service.cli("events", "list")
    assert [one["event"] for one in events] == ["told"]


def test_hooks_for_the_beginning_are_called_in_the_run(service: Service) -> None:
    end_of(service, "begins")

    assert of(service, "begins") == ["begins 1 Running -"]


def test_a_graph_has_its_handlers_called_too(service: Service) -> None:
    end_of(service, "graph")

    assert of(service, "graph") == [
        "graph Pending Running",
        "graph Running Failed",
        "graph on_failure 1 of 1 task failed: divide",
    ]
