"""Tasks in processes: those that are submitted, those of a graph, and those that ask for one of their own."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, flow, get_run_context, tags, task
from schedulerd.authoring.descendants import descendants
from schedulerd.authoring.parcels import NotSendable
from schedulerd.authoring.task_values import TaskTimedOut
from schedulerd.authoring.workers import ProcessDied
from schedulerd.engine import signals
from schedulerd.executors import LocalDaskExecutor
from schedulerd.states import Failed
from schedulerd.task_runners import ProcessPoolTaskRunner
from tests.unit.authoring.tape import Tape, run
from tests.waiting import eventually

IN_PROCESSES = ProcessPoolTaskRunner(max_workers=2)
LOCK = threading.Lock()  # a global that no process can be sent


class Row:
    def __init__(self, number: int) -> None:
        self.number = number


class Picky(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")

    def __reduce__(self) -> Any:
        raise TypeError("it cannot be sent")


@task
def pid() -> int:
    return os.getpid()


@task
def row(number: int) -> Row:
    with LOCK:
        return Row(number)


@task
def number_of(one: Row) -> int:
    assert isinstance(one, Row)
    return one.number


@task
def raises(error: BaseException) -> None:
    raise error


@task
def goes_away(how: str) -> None:
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)


@task
async def slept() -> int:
    await asyncio.sleep(0)
    return os.getpid()


@task
def inner(number: int) -> int:
    return number * 2


@task
def outer(number: int) -> list[int]:
    return [inner(number), inner.submit(number + 1).result()]


@task
def facts() -> dict[str, Any]:
    run = get_run_context().task_run  # type: ignore[union-attr]
    return {"name": run.task_name, "tags": run.tags, "attempt": run.run_count, "index": run.map_index}


@task(timeout_seconds=0.3)
def stuck(file: str) -> None:
    """In C, with every signal blocked: nothing within the process can end it."""
    child = subprocess.Popen(["sleep", "600"])
    Path(file).write_text(f"{os.getpid()} {child.pid}")
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    threading.Event().wait(600)


def forks_of_ours() -> set[int]:
    """The processes that were forked here and go on; not programs, which libraries start when they like and keep."""
    own = Path("/proc/self/cmdline").read_bytes()
    return {pid for pid in descendants(os.getpid()) if command_line(pid) == own}


def command_line(pid: int) -> bytes:
    """What a process was started with; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    before = forks_of_ours()
    yield
    eventually(lambda: not forks_of_ours() - before, within=30)


def submitted(what: Callable[..., Any]) -> Any:
    """What a flow that runs its tasks in processes makes of them."""
    return flow(task_runner=IN_PROCESSES)(what)()


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


# -- what comes back ----------------------------------------------------------------------------------------------


def test_tasks_run_in_at_most_so_many_other_processes() -> None:
    pids = submitted(lambda: [future.result() for future in [pid.submit() for _ in range(20)]])

    assert os.getpid() not in pids
    assert 1 <= len(set(pids)) <= 2


def test_values_go_there_and_back_as_what_they_are() -> None:
    def body() -> int:
        made = row.submit(7)
        assert type(made.result()) is Row
        return int(number_of.submit(made).result())

    assert submitted(body) == 7


def test_an_async_task_has_a_loop_there() -> None:
    assert submitted(lambda: slept.submit().result()) != os.getpid()


def test_each_item_of_a_map_is_told_which_it_is() -> None:
    def body() -> Any:
        with tags("nightly"):
            return [facts.submit().result(), *[future.result() for future in _mapped()]]

    def _mapped() -> Any:
        return task(lambda _: facts.fn(), name="facts").map([1, 2])

    pytest.importorskip("cloudpickle")
    one, *several = submitted(body)

    assert one == {"name": "facts", "tags": ["nightly"], "attempt": 1, "index": None}
    assert [said["index"] for said in several] == [0, 1]


def test_tasks_within_a_task_have_numbers_of_their_own() -> None:
    numbers: list[int] = []

    def body() -> Any:
        futures = [outer.submit(number) for number in (1, 10)]
        made = [future.result() for future in futures]
        numbers.append(row.submit(1).number)
        return made

    assert submitted(body) == [[2, 4], [20, 22]]
    assert numbers == [7]  # two outer ones, and two within each


# -- what fails ---------------------------------------------------------------------------------------------------


def test_what_a_task_raises_is_raised_with_its_place() -> None:
    tape = Tape()

    def body() -> None:
        raises.submit(KeyError("region")).result()

    outcome = run(flow(task_runner=IN_PROCESSES)(body), tape=tape)

    assert outcome.state == "failed"
    assert outcome.failure is not None
    assert (outcome.failure.type, outcome.failure.task) == ("KeyError", "raises")
    failure = tape.tasks[-1]["failure"]
    assert (failure.file, failure.type) == (__file__, "KeyError")
    assert "in raises\n    raise error" in failure.traceback


def test_an_exception_that_cannot_be_sent_is_told() -> None:
    def body() -> Any:
        return task(_raise_picky, name="picky").submit().result(raise_on_failure=False)

    error = submitted(body)

    assert isinstance(error, RuntimeError)
    assert str(error) == "Picky: this and that"


def _raise_picky() -> None:
    raise Picky("this", "that")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", r"the process of task 'goes_away' ended with exit status 3 before the task had"),
        ("kill", r"the process of task 'goes_away' was killed by signal 9 \(SIGKILL\)"),
    ],
)
def test_a_process_that_goes_away_fails_its_task_only(how: str, said: str) -> None:
    def body() -> Any:
        gone, fine = goes_away.submit(how), row.submit(5)
        with pytest.raises(ProcessDied, match=said):
            gone.result()
        return fine.result().number, row.submit(6).result().number

    assert submitted(body) == (5, 6)


def test_a_task_is_tried_again_where_its_process_went_away(tmp_path: Path) -> None:
    @task(retries=1)
    def once(file: Path) -> str:
        if not file.exists():
            file.touch()
            os._exit(1)
        return "done"

    tape = Tape()
    run(flow(task_runner=IN_PROCESSES)(lambda: once.submit(tmp_path / "been").result()), tape=tape)

    assert [said["state"] for said in tape.tasks] == ["running", "retrying", "running", "completed"]


def test_what_cannot_be_sent_fails_with_what_it_is() -> None:
    def body() -> None:
        with pytest.raises(NotSendable, match="the call of task 'inner' cannot be sent to another process"):
            inner.submit(threading.Lock()).result()
        with pytest.raises(NotSendable, match="what task 'lock' returned cannot be sent"):
            task(_lock, name="lock").submit().result()

    submitted(body)


def _lock() -> Any:
    return LOCK


def test_a_state_that_a_task_makes_comes_back() -> None:
    seen: list[Any] = []

    def body() -> None:
        seen.append(task(_made, name="made").submit().wait())

    submitted(body)

    assert seen[0].is_failed()
    assert seen[0].message == "no rows"


def _made() -> Any:
    return Failed(message="no rows")


# -- limits and ends ----------------------------------------------------------------------------------------------


def test_a_task_that_nothing_ends_is_killed_at_its_limit_with_all_that_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pids"

    def body() -> Any:
        future = stuck.submit(str(file))
        with pytest.raises(TaskTimedOut):
            future.result()
        return pid.submit().result()

    assert submitted(body) != os.getpid()
    for process in map(int, file.read_text().split()):
        eventually(lambda process=process: is_gone(process), within=30)  # type: ignore[misc]


def test_tasks_that_go_on_are_ended_where_the_flow_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "said"

    @task
    def waits() -> None:
        file.write_text("begun")
        try:
            threading.Event().wait(600)
        finally:
            file.write_text("tidied up")

    def body() -> None:
        waits.submit()
        eventually(file.exists, within=30)
        eventually(lambda: file.read_text() == "begun", within=30)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        submitted(body)

    assert file.read_text() == "tidied up"


# -- a process of its own -----------------------------------------------------------------------------------------


def test_a_task_that_asks_for_it_has_a_process_of_its_own_each_time() -> None:
    @task(own_process=True)
    def own() -> int:
        return os.getpid()

    pids = flow(lambda: [own(), own(), own.submit().result()])()

    assert len({*pids, os.getpid()}) == 4


def test_a_task_in_a_process_of_its_own_is_killed_at_its_limit(tmp_path: Path) -> None:
    own = stuck.with_options(own_process=True, retries=1)
    tape = Tape()

    outcome = run(flow(lambda: own(str(tmp_path / "pids"))), tape=tape)

    assert outcome.state == "failed"
    assert [said["state"] for said in tape.tasks] == ["running", "retrying", "running", "timed_out"]


def test_an_async_task_may_have_a_process_of_its_own_too() -> None:
    own = slept.with_options(own_process=True)

    @flow
    async def etl() -> int:
        return int(await own())

    assert asyncio.run(etl()) != os.getpid()


@pytest.mark.parametrize("given", [1, "yes"])
def test_own_process_is_true_or_false(given: Any) -> None:
    with pytest.raises(TypeError, match="own_process must be True or False"):
        task(own_process=given)(_made)


# -- graphs -------------------------------------------------------------------------------------------------------


@task
def skipped() -> None:
    raise signals.SKIP("nothing new")


@task
def ended(what: str) -> None:
    raise signals.ENDRUN(state=signals.FAIL(what).state)


def test_tasks_of_a_graph_run_in_processes() -> None:
    with Flow("x", executor=LocalDaskExecutor(scheduler="processes", num_workers=2)) as graph:
        rows = row.map([1, 2, 3])
        numbers = number_of.map(rows)
        where = pid()
        left_out = skipped()
        bad = ended("as it must")
        graph.set_reference_tasks([numbers])

    state = graph.run()

    assert state.is_successful()
    assert state.result[numbers].result == [1, 2, 3]
    assert state.result[where].result != os.getpid()
    assert state.result[left_out].is_skipped()
    assert (state.result[bad].is_failed(), state.result[bad].message) == (True, "as it must")
