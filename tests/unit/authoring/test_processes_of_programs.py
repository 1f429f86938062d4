"""A plain Python program whose tasks run in processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schedulerd.authoring.descendants import descendants
from tests.engine.scenes import is_alive
from tests.waiting import eventually

PROGRAM = """
import os, sys, time
from schedulerd import flow, task, get_run_logger
from schedulerd.task_runners import ProcessPoolTaskRunner

class Row: pass

@task
def work(number):
    print("printed", number)
    get_run_logger().info("logged %s", number)
    return Row()

@task
def waits(file):
    with open(file, "w") as opened:
        opened.write(f"{os.getpid()}\\n")
    time.sleep(600)

@flow(task_runner=ProcessPoolTaskRunner(max_workers=2))
def etl(file=None):
    print(*[isinstance(future.result(), Row) for future in work.map([1, 2])])
    if file:
        waits.submit(file).result()

if __name__ == "__main__":
    etl(*sys.argv[1:])
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


def test_a_plain_program_runs_tasks_in_processes(program: Path) -> None:
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, timeout=50)

    assert sorted(done.stdout.splitlines()) == ["True True", "printed 1", "printed 2"]
    assert done.stderr.count("logged") == 2
    assert done.stderr.count("completed") == 3


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_processes_of_tasks_end_with_the_program(program: Path, tmp_path: Path, sign: signal.Signals) -> None:
    file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, program, file], stderr=subprocess.DEVNULL) as running:
        eventually(lambda: file.exists() and file.read_text().endswith("\n"), within=40)
        several = descendants(running.pid)
        running.send_signal(sign)
        running.wait(200)

    assert int(file.read_text()) in several
    for process in several:
        eventually(lambda process=process: not is_alive(process), within=40)  # type: ignore[misc]
