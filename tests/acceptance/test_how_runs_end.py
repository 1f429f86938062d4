"""Runs that end in every way a process can: each in the right state, with its reason and its last output."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from tests.service import Service, descendants, process_state
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

FLOWS = """
import ctypes, os, signal, subprocess, sys, time
from schedulerd import flow, task

@task
def divide(number):
    return 1 / number

@flow
def raises():
    print("last words")
    divide(0)

@flow
def exits():
    print("last words")
    sys.exit(3)

@flow
def exits_well():
    sys.exit(0)

@flow
def leaves_at_once():
    print("last words", flush=True)
    os._exit(7)

@flow
def kills_itself():
    print("last words")
    os.kill(os.getpid(), signal.SIGKILL)

@task
def die():
    os.kill(os.getpid(), signal.SIGKILL)

@flow
def dies_in_a_task():
    die()

@flow
def segfaults():
    os.write(1, b"words of C")
    print("last words")
    ctypes.string_at(0)

@flow
def leaves_a_child(file: str, stubborn: bool = False):
    if os.fork() == 0:
        os.setsid()
        if stubborn:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open(file, "w") as out:
            out.write(str(os.getpid()))
        time.sleep(600)
    while not os.path.exists(file) or not open(file).read():
        time.sleep(0.01)
    print("last words")

@flow
def leaves_a_program(file: str):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    with open(file, "w") as out:
        out.write(str(child.pid))
    print("last words")

@flow
def comes_back():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print("last words")
    return "parent" if child else "child"

@flow
def forks_and_fails():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        raise ValueError("in the child")

@flow
def long_line():
    print("a" * 70_000)
    print("b")

@flow
def pool():
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        print(workers.apply(abs, (-3,)))

@flow(timeout_seconds=1)
def too_long():
    print("last words")
    time.sleep(600)

@flow
def sleeps():
    print("last words")
    try:
        time.sleep(600)
    finally:
        print("tidied up")

@flow
def ignores_the_end():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("last words")
    while True:
        pass
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("ends"))
    service.drop("ends.py", FLOWS)
    service.schedule("commands.toml", COMMANDS)
    service.start()
    service.wait_for_flow("raises")
    yield service
    service.stop()
    assert service.broken_invariants() == []
    service.close()


COMMANDS = """
[[schedule]]
name = "fine"
command = 'echo "$SCHEDULERD_FLOW says hello"; printf "no newline"; echo aside >&2'
at = "2030-01-01T00:00"

[[schedule]]
name = "fails"
command = "echo last words; exit 4"
at = "2030-01-01T00:00"

[[schedule]]
name = "killed"
command = "echo last words; kill -9 $$"
at = "2030-01-01T00:00"

[[schedule]]
name = "absent"
command = "no-such-program-anywhere"
at = "2030-01-01T00:00"
"""


def _run(service: Service, flow: str, **parameters: object) -> tuple[Run, list[str]]:
    key = service.ask_for(flow, **parameters)
    run = service.wait_for_end(key, within=20)
    return run, [line.line.message for line in service.lines(key)]


@pytest.mark.parametrize(
    ("flow", "state", "reason"),
    [
        ("raises", RunState.FAILED, "ZeroDivisionError: division by zero"),
        ("exits", RunState.FAILED, "the flow called sys.exit(3)"),
        ("leaves-at-once", RunState.CRASHED, "its process exited with status 7 without a last word"),
        ("kills-itself", RunState.CRASHED, "killed by SIGKILL"),
        ("segfaults", RunState.CRASHED, "killed by SIGSEGV"),
        ("too-long", RunState.TIMED_OUT, "ended at its time limit"),
        ("fails", RunState.FAILED, "exit status 4"),
        ("killed", RunState.CRASHED, "killed by SIGKILL"),
    ],
)
def test_a_run_that_ends_badly_says_how_and_keeps_its_last_words(
    service: Service, flow: str, state: RunState, reason: str
) -> None:
    run, messages = _run(service, flow)

    assert (run.state, run.reason) == (state, reason)
    assert "last words" in messages


def test_an_exception_is_kept_with_the_users_line_and_task(service: Service) -> None:
    run, _ = _run(service, "raises")

    assert run.failure is not None
    assert (run.failure.type, run.failure.task) == ("ZeroDivisionError", "divide")
    assert run.failure.file == str(service.flows / "ends.py")
    assert run.failure.line == FLOWS.splitlines().index("    return 1 / number") + 1


def test_a_task_that_dies_with_its_run_does_not_stay_running(service: Service) -> None:
    run, _ = _run(service, "dies-in-a-task")

    (task,) = service.cli("runs", "show", str(run.id))["tasks"]
    assert (task["name"], task["state"]) == ("die", "crashed")


def test_exit_status_0_is_success(service: Service) -> None:
    run, _ = _run(service, "exits-well")

    assert run.state is RunState.COMPLETED


def test_what_c_code_wrote_before_a_segfault_is_in_the_log(service: Service) -> None:
    _, messages = _run(service, "segfaults")

    assert sorted(messages) == ["last words", "words of C"]


def test_a_command_is_a_recorded_run_with_both_its_outputs(service: Service) -> None:
    run, messages = _run(service, "fine")

    assert run.state is RunState.COMPLETED
    assert sorted(messages) == ["aside", "fine says hello", "no newline"]


def test_a_command_that_is_not_there_fails_and_says_so(service: Service) -> None:
    run, messages = _run(service, "absent")

    assert (run.state, run.reason) == (RunState.FAILED, "exit status 127: command not found")
    assert any("no-such-program-anywhere" in message for message in messages)


@pytest.mark.parametrize(
    ("flow", "parameters"),
    [
        ("leaves-a-child", {}),
        ("leaves-a-child", {"stubborn": True}),
        ("leaves-a-program", {}),
    ],
)
def test_a_child_that_would_outlive_its_run_is_ended_and_noted(
    service: Service, tmp_path: Path, flow: str, parameters: dict[str, object]
) -> None:
    file = tmp_path / "child"

    run, messages = _run(service, flow, file=str(file), **parameters)

    assert run.state is RunState.COMPLETED
    assert "last words" in messages
    assert any("behind" in message for message in messages)
    eventually(lambda: process_state(int(file.read_text())) in ("", "Z"))


def test_a_forked_process_that_comes_back_has_no_say_in_what_the_run_came_to(service: Service) -> None:
    run, messages = _run(service, "comes-back")

    assert (run.state, run.result_preview) == (RunState.COMPLETED, '"parent"')
    assert messages == ["last words"]


def test_what_a_forked_process_fails_of_is_in_the_log(service: Service) -> None:
    run, messages = _run(service, "forks-and-fails")

    assert run.state is RunState.COMPLETED
    assert any("ValueError: in the child" in message for message in messages)


def test_a_long_line_is_handed_on_in_parts_and_nothing_more(service: Service) -> None:
    _, messages = _run(service, "long-line")

    assert [len(message) for message in messages] == [65_536, 70_000 - 65_536, 1]


def test_a_pool_that_is_closed_leaves_nothing_behind(service: Service) -> None:
    run, messages = _run(service, "pool")

    assert (run.state, messages) == (RunState.COMPLETED, ["3"])


def test_a_cancelled_run_may_tidy_up(service: Service) -> None:
    key = service.ask_for("sleeps")
    eventually(lambda: "last words" in [line.line.message for line in service.lines(key)])

    _cancel(service, key)
    run = service.wait_for_end(key)

    assert run.state is RunState.CANCELLED
    assert [line.line.message for line in service.lines(key)] == ["last words", "tidied up"]


def test_a_cancelled_run_that_ignores_it_is_killed(service: Service) -> None:
    key = service.ask_for("ignores-the-end")
    eventually(lambda: service.lines(key))

    _cancel(service, key)
    run = service.wait_for_end(key)

    assert run.state is RunState.CANCELLED
    assert run.pid is not None
    eventually(lambda: process_state(run.pid or 0) == "")


def test_a_run_that_is_killed_from_outside_crashes(service: Service) -> None:
    key = service.ask_for("sleeps")
    eventually(lambda: service.run(key).pid)

    service.kill_run(key)

    assert service.wait_for_end(key).reason == "killed by SIGKILL"


def test_no_process_and_no_folder_is_left(service: Service) -> None:
    _run(service, "exits-well")

    eventually(lambda: not list((service.state / "runs").iterdir()))
    assert [pid for pid in descendants(service.pid) if process_state(pid) == "Z"] == []


def _cancel(service: Service, key: RunKey) -> None:
    done = service.command("runs", "cancel", service.run(key).selector)
    assert done.returncode == 0, done.stderr
