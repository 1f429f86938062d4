"""Inspecting flow files through a real spawner: what they define, and that a bad one costs only itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.flows import FileDefinition
from schedulerd.engine.folders import read_exit
from schedulerd.engine.inspection import understand
from tests.engine.scenes import Spawning, read_bytes

FLOW = "from schedulerd import flow\n@flow\ndef etl():\n    print('ran')\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def test_a_file_says_what_it_defines(spawning: Spawning) -> None:
    file = spawning.drop(
        "from schedulerd import flow, task, Flow\n"
        "from schedulerd.schedules import Cron\n"
        "@task\n"
        "def extract(): ...\n"
        "@task\n"
        "def load(rows): ...\n"
        "with Flow('graph', schedule=Cron('0 6 * * *')) as graph:\n"
        "    load(extract())\n"
        "@flow(timeout_seconds=5, tags=['a'])\n"
        "def function(day: int, region: str = 'kr'):\n"
        '    """What it does."""\n'
    )

    found = understand(str(file), spawning.inspect(file), timezone="Asia/Seoul")

    assert isinstance(found, FileDefinition)
    graph, function = found.flows
    assert (graph.name, graph.entrypoint, graph.tasks, graph.edges) == (
        "graph",
        "graph",
        ("extract", "load"),
        ((0, 1),),
    )
    assert [(one.name, one.flow, one.when.timezone) for one in graph.schedules] == [
        ("graph#0", "graph", "Asia/Seoul")
    ]
    assert (function.timeout_seconds, function.tags, function.description) == (5, ("a",), "What it does.")
    assert function.parameters["required"] == ["day"]
    assert found.source == file.read_text()


@pytest.mark.parametrize("call", ["etl()", "etl.register()", "etl.serve()", "print(etl())"])
def test_a_flow_that_is_called_at_module_level_is_found_and_not_run(spawning: Spawning, call: str) -> None:
    answer = spawning.inspect(spawning.drop(FLOW + call + "\n"))

    assert [flow["name"] for flow in answer["flows"]] == ["etl"]
    assert b"ran" not in read_bytes(spawning.folders.runs / "inspection-1" / "stdout.log")


def test_what_stands_under_main_is_not_run(spawning: Spawning) -> None:
    file = spawning.drop(FLOW + "if __name__ == '__main__':\n    raise SystemExit(3)\n")

    assert "error" not in spawning.inspect(file)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("def broken(:\n", "SyntaxError", 1),
        ("import os\nraise ValueError('no')\n", "ValueError", 2),
        ("import sys\n\nsys.exit(3)\n", "SystemExit", 3),
        ("import no_such_module_here\n", "ModuleNotFoundError", 1),
        ("1 / 0\n", "ZeroDivisionError", 1),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
        ("raise ValueError('\\udcff')\n", "ValueError", 1),
        ("def f(): f()\nf()\n", "RecursionError", 1),
    ],
)
def test_a_file_that_cannot_be_loaded_says_why_and_where(
    spawning: Spawning, text: str, kind: str, line: int
) -> None:
    file = spawning.drop(text)

    error = spawning.inspect(file)["error"]

    assert (error["type"], error["file"], error["line"]) == (kind, str(file), line)


def test_a_file_of_megabytes_is_not_loaded(spawning: Spawning) -> None:
    file = spawning.drop("#" * ((1 << 20) + 1))

    assert "at most 1,048,576" in spawning.inspect(file)["error"]["message"]


@pytest.mark.parametrize("how", ["while True: pass\n", "import time; time.sleep(60)\n"])
def test_a_file_that_takes_too_long_is_ended(spawning: Spawning, how: str) -> None:
    answer = spawning.inspect(spawning.drop(how), timeout_seconds=0.2, grace=0.1)

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert answer == {}
    assert ended is not None
    assert ended.stopped == "timeout"


def test_a_file_that_kills_its_process_kills_nothing_else(spawning: Spawning) -> None:
    answer = spawning.inspect(spawning.drop("import ctypes\nctypes.string_at(0)\n"))

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert answer == {}
    assert ended is not None
    assert ended.signal == signal.SIGSEGV
    assert spawning.command("true").exit.status == 0


def test_what_a_file_prints_is_no_trouble(spawning: Spawning) -> None:
    answer = spawning.inspect(
        spawning.drop("import sys\nprint('x' * 100_000)\nprint('y', file=sys.stderr)\n" + FLOW)
    )

    assert [flow["name"] for flow in answer["flows"]] == ["etl"]


def test_a_thread_that_a_file_starts_holds_up_nothing(spawning: Spawning) -> None:
    text = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + FLOW

    assert "error" not in spawning.inspect(spawning.drop(text))


def test_what_a_file_leaves_behind_is_ended(spawning: Spawning) -> None:
    spawning.inspect(spawning.drop("import subprocess\nsubprocess.Popen(['sleep', '60'])\n" + FLOW))

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert ended is not None
    assert ended.left >= 1
