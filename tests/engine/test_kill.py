"""A spawner that is told to kill what it was told to end."""

import signal
from pathlib import Path

from schedulerd.engine import wire
from tests.engine.scenes import Ran, Spawning, is_alive, pid_in


def test_a_run_that_does_not_listen_is_killed_at_once_when_its_grace_is_taken_back(
    tmp_path: Path,
) -> None:
    with Spawning(tmp_path) as spawning:
        deaf = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > child; sleep 60 & wait; sleep 60' & echo $$ > pid; sleep 60; sleep 60"
        spawning.start("run.1", kind="command", command=deaf, grace=600.0)
        pids = [pid_in(spawning.work / name) for name in ("pid", "child")]
        spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=600))
        spawning.link.ask(wire.Ping())
        spawning.hear(wire.Pong)
        before = [is_alive(pid) for pid in pids]

        spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=0))
        spawning.hear(wire.Ended)

        ran = Ran(spawning.folders.runs / "run.1")
        assert before == [True, True]
        assert (ran.exit.signal, ran.exit.stopped) == (signal.SIGKILL, "cancel")
        assert [is_alive(pid) for pid in pids] == [False, False]
