"""Tasks in processes, in runs of the daemon: their journal, their limits, and their end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.engine import wire
from tests.engine.scenes import Ran, Spawning, is_alive
from tests.waiting import eventually

HEAD = "import os, sys, logging, subprocess, threading\nfrom schedulerd import flow, task, get_run_logger\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


IN_PROCESSES = (
    HEAD
    + "from schedulerd.task_runners import ProcessPoolTaskRunner\n"
    + "class Row: ...\n"
    + "main = os.getpid()\n"
    + "@task\ndef inner():\n    print('inner')\n"
    + "@task\ndef work(number):\n"
    + "    assert os.getpid() != main\n"
    + "    print('printed', number)\n"
    + "    get_run_logger().warning('logged %s', number)\n"
    + "    inner()\n"
    + "    if number == 2:\n        raise ValueError('two')\n"
    + "    return Row()\n"
    + "@flow(task_runner=ProcessPoolTaskRunner(max_workers=2))\n"
)


def test_tasks_in_processes_are_recorded_in_the_same_journal(spawning: Spawning) -> None:
    ran = spawning.flow(
        IN_PROCESSES + "def etl():\n    return [type(f.wait().data) is Row for f in work.map([1, 2, 3])]\n"
    )

    assert (ran.end["s"], ran.of("result")[-1]["v"]) == ("completed", "[true, false, true]")
    last = {record["n"]: record for record in ran.of("task")}
    assert sorted((record["name"], record["s"]) for record in last.values()) == [
        *[("inner", "completed")] * 3,
        *[("work", "completed")] * 2,
        ("work", "failed"),
    ]
    failure = next(record["f"] for record in last.values() if record["s"] == "failed")
    assert (failure["type"], failure["file"].endswith("etl.py"), failure["line"]) == ("ValueError", True, 16)
    for number, record in last.items():
        own = [line["m"] for line in ran.of("log") if line.get("n") == number and line["l"] < 40]
        item = record.get("i", 0) + 1
        assert own == (["inner"] if record["name"] == "inner" else [f"printed {item}", f"logged {item}"])


@pytest.mark.parametrize("how", ["submitted", "own"])
def test_tasks_in_processes_are_cancelled_with_their_run(spawning: Spawning, how: str) -> None:
    text = (
        IN_PROCESSES
        + "def etl():\n    call()\n"
        + "@task(own_process={how!r} == 'own')\ndef waits():\n"
        + "    child = subprocess.Popen(['sleep', '600'])\n"
        + "    print(os.getpid(), child.pid, file=open('pid', 'w'))\n"
        + "    try:\n        threading.Event().wait()\n"
        + "    finally:\n        child.kill()\n        print('tidied up')\n"
        + "call = waits if {how!r} == 'own' else lambda: waits.submit().result()\n"
    ).format(how=how)
    spawning.start("run.1", **spawning.keep(text))
    file = spawning.work / "pid"
    eventually(lambda: file.exists() and file.read_text().endswith("\n"), within=30)
    several = [int(pid) for pid in file.read_text().split()]

    spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=20))
    spawning.hear(wire.Ended, "run.1")

    ran = Ran(spawning.folders.runs / "run.1")
    assert (ran.end["s"], ran.lines("stdout")) == ("cancelled", ["tidied up"])
    for pid in several:
        eventually(lambda pid=pid: not is_alive(pid), within=30)  # type: ignore[misc]


def test_a_task_in_its_own_process_is_killed_at_its_limit(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "import signal\n"
        + "@task(own_process=True, timeout_seconds=0.2)\ndef stuck():\n"
        + "    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))\n"
        + "    threading.Event().wait()\n"
        + "@flow\ndef etl():\n    stuck(return_state=True)\n    return 'went on'\n"
    )

    assert [record["s"] for record in ran.of("task")] == ["running", "timed_out"]
    assert ran.of("result")[-1]["v"] == '"went on"'


@pytest.mark.timeout(600)
def test_tasks_on_a_dask_cluster_are_recorded_in_the_journal(
    spawning: Spawning, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("tests.engine.scenes.PATIENCE", 90.0)  # both it and its worker import distributed
    ran = spawning.flow(
        IN_PROCESSES.replace("ProcessPoolTaskRunner(max_workers=2)", "DaskTaskRunner(cluster_kwargs=made)")
        .replace("import ProcessPoolTaskRunner", "import DaskTaskRunner")
        .replace("main = os.getpid()", "main = 0; made = {'n_workers': 1, 'threads_per_worker': 2}")
        + "def etl():\n    return [type(f.wait().data) is Row for f in work.map([1, 2, 3])]\n",
        environment={"SCHEDULERD_RUN_ID": "9f1c", "SCHEDULERD_RUN_NUMBER": "1"},
    )

    assert (ran.end["s"], ran.of("result")[-1]["v"]) == ("completed", "[true, false, true]"), ran.stderr
    last = {record["n"]: record for record in ran.of("task")}
    assert sorted((record["name"], record["s"]) for record in last.values()) == [
        *[("inner", "completed")] * 3,
        *[("work", "completed")] * 2,
        ("work", "failed"),
    ]
    failure = next(record["f"] for record in last.values() if record["s"] == "failed")
    assert (failure["type"], failure["file"].endswith("etl.py"), failure["line"]) == ("ValueError", True, 16)
    for number, record in last.items():
        own = [line["m"] for line in ran.of("log") if line.get("n") == number and line["l"] < 40]
        item = record.get("i", 0) + 1
        assert own == (["inner"] if record["name"] == "inner" else [f"printed {item}", f"logged {item}"])
