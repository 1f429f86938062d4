"""Tasks on a real Dask cluster of this machine: in its threads, and in its processes."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, flow, get_run_logger, task
from schedulerd.authoring.task_values import TaskTimedOut
from schedulerd.authoring.workers import ProcessDied
from schedulerd.executors import DaskExecutor
from schedulerd.task_runners import DaskTaskRunner
from tests.unit.authoring.tape import Tape, run

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # of distributed itself
]


class Row:
    def __init__(self, number: int) -> None:
        self.number = number


@task
def inner(number: int) -> int:
    return number * 2


@task(retries=1)
def work(number: int) -> Any:
    get_run_logger().info("logged %s", number)
    if number == 2:
        raise ValueError("two")
    return [Row(inner(number)), os.getpid(), inner.submit(number).result()]


@task
def number_of(row: Row) -> int:
    assert isinstance(row, Row)
    return row.number


@task(timeout_seconds=0.3)
def stuck(file: str) -> None:
    while not Path(file).exists():
        threading.Event().wait(0.05)


@task
def goes_away() -> None:
    os._exit(3)


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=4, processes=request.param, dashboard_address=None
    ) as made:
        yield made


def test_tasks_run_on_the_workers_and_are_recorded_here(cluster: Any) -> None:
    tape = Tape()

    @flow(task_runner=DaskTaskRunner(cluster.scheduler_address))
    def etl() -> Any:
        one, two = work.submit(1), work.submit(2)
        row, pid, again = one.result()
        assert type(row) is Row
        assert two.wait().is_failed()
        return [number_of.submit(row).result(), again, pid == os.getpid()]

    outcome = run(etl, tape=tape)

    assert outcome.failure is None, outcome.failure.traceback
    assert (
        outcome.result == f"[2, 2, {'false' if cluster.workers[0].__class__.__name__ == 'Nanny' else 'true'}]"
    )
    states = {said["number"]: (said["name"], said["state"], said["attempt"]) for said in tape.tasks}
    assert sorted(states.values()) == [
        ("inner", "completed", 1),
        ("inner", "completed", 1),
        ("number_of", "completed", 1),
        ("work", "completed", 1),
        ("work", "failed", 2),
    ]
    failure = next(said["failure"] for said in tape.tasks if said["state"] == "failed")
    assert (failure.type, failure.file, failure.task) == ("ValueError", __file__, "work")


def test_a_task_that_is_over_its_time_is_no_longer_waited_for(cluster: Any, tmp_path: Path) -> None:
    @flow(task_runner=DaskTaskRunner(cluster.scheduler_address))
    def etl() -> None:
        future = stuck.submit(str(tmp_path / "go"))
        with pytest.raises(TaskTimedOut):
            future.result()
        (tmp_path / "go").touch()

    etl()


def test_a_cluster_is_made_for_a_run_and_a_worker_that_goes_away_fails_its_task_only() -> None:
    wanted = {"n_workers": 1, "threads_per_worker": 1, "processes": True}

    @flow(task_runner=DaskTaskRunner(cluster_class=distributed.LocalCluster, cluster_kwargs=wanted))
    def etl() -> int:
        with pytest.raises(ProcessDied, match="the worker of task 'goes_away' went away"):
            goes_away.submit().result()
        return int(inner.submit(4).result())

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        assert etl() == 8


def test_tasks_of_a_graph_run_on_the_workers(cluster: Any) -> None:
    with Flow("x", executor=DaskExecutor(cluster.scheduler_address)) as graph:
        numbers = inner.map(inner.map([1, 2, 3]))
        bad = work(2)
        graph.set_reference_tasks([numbers])

    state = graph.run()

    assert state.result[numbers].result == [4, 8, 12]
    assert state.result[bad].is_failed()


def test_a_cluster_that_is_not_there_fails_the_flow() -> None:
    runner = DaskTaskRunner("tcp://127.0.0.1:1", client_kwargs={"timeout": 0.5})

    outcome = run(flow(task_runner=runner)(lambda: inner.submit(1).result()))

    assert outcome.state == "failed"
    assert "127.0.0.1:1" in outcome.message


def test_it_is_the_address_of_a_cluster_or_what_it_is_made_of() -> None:
    with pytest.raises(ValueError, match="not both"):
        DaskTaskRunner("tcp://dask:8786", cluster_kwargs={"n_workers": 1})
    with pytest.raises(TypeError, match="DaskExecutor\\(\\) does not know colour"):
        DaskExecutor(colour="red")


def test_where_distributed_is_not_installed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    for kind in (DaskTaskRunner, DaskExecutor):
        with pytest.raises(ImportError, match=r"pip install 'schedulerd\[dask\]'"):
            kind()
