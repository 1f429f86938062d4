"""Several runs that the spawner is asked for in one go."""

import contextlib
import os
import signal
from pathlib import Path

from schedulerd.engine import wire
from tests.engine.scenes import Spawning
from tests.waiting import eventually


def test_runs_that_are_asked_for_at_once_hold_nothing_of_each_other(tmp_path: Path) -> None:
    with Spawning(tmp_path) as spawning:
        assert spawning.link.pid is not None
        os.kill(spawning.link.pid, signal.SIGSTOP)
        keys = [spawning.prepare(f"run.{n}", kind="command", command="exec sleep 60") for n in range(20)]
        for key in keys:
            spawning.link.ask(wire.Start(key=key))
        os.kill(spawning.link.pid, signal.SIGCONT)  # it hears of all of them in one go

        for key in keys:
            taken = spawning.hear(wire.Taken, key)
            assert isinstance(taken, wire.Taken)
            shell = shell_of(spawning, key)
            for pid in (taken.pid, shell):
                others = {path for path in open_paths(pid) if path.startswith(str(spawning.folders.runs))}
                assert all(f"/{key}" in path for path in others), others


def shell_of(spawning: Spawning, key: str) -> int:
    """The pid of the shell of a command, once its keeper has forked it."""
    eventually(lambda: len(spawning.folders.facts(key).parents) == 2)
    process = spawning.folders.facts(key).process
    assert process is not None
    return process.pid


def open_paths(pid: int) -> list[str]:
    """What the descriptors of a process stand for."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found
