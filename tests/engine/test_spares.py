"""Processes forked ahead: each becomes one run, and nothing else of a run is different."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.engine import wire
from tests.cgroups import being_in, delegated_cgroup
from tests.engine.scenes import Spawning, descendants, is_alive, pid_in
from tests.waiting import eventually

SPARES = 3


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path, spares=SPARES) as made:
        yield made


def waiting(spawning: Spawning) -> set[int]:
    """The processes that wait, once there are as many as are wanted."""
    assert spawning.link.pid is not None
    eventually(lambda: len(descendants(spawning.link.pid or 0)) == SPARES)
    return set(descendants(spawning.link.pid))


def taken(spawning: Spawning, key: str) -> int:
    """Start a prepared attempt; the pid of its process."""
    spawning.link.ask(wire.Start(key=key))
    said = spawning.hear(wire.Taken, key)
    assert isinstance(said, wire.Taken)
    return said.pid


def test_a_run_is_taken_by_a_process_that_waited_and_another_takes_its_place(spawning: Spawning) -> None:
    before = waiting(spawning)

    ran_in = taken(spawning, spawning.prepare("run.1", kind="command", command="exit 3"))
    spawning.hear(wire.Ended, "run.1")

    assert ran_in in before
    assert len(waiting(spawning) - before) == 1


def test_runs_beyond_the_spares_are_forked_when_they_come(spawning: Spawning) -> None:
    before = waiting(spawning)
    keys = [
        spawning.prepare(f"run.{n}", kind="command", command=f"echo {n} >> ran") for n in range(SPARES + 4)
    ]
    for key in keys:
        spawning.link.ask(wire.Start(key=key))

    for key in keys:
        spawning.hear(wire.Ended, key)
    assert len((spawning.work / "ran").read_text().split()) == SPARES + 4
    assert before.isdisjoint(waiting(spawning))


def test_a_spare_that_was_killed_is_passed_over_and_made_anew(spawning: Spawning) -> None:
    for pid in waiting(spawning):
        os.kill(pid, signal.SIGKILL)

    assert spawning.command("exit 3").exit.status == 3
    assert len(waiting(spawning)) == SPARES


def test_spares_end_with_a_spawner_that_is_killed_and_what_they_became_does_not(spawning: Spawning) -> None:
    waiting(spawning)
    spawning.start("run.1", kind="command", command="echo $$ > pid; exec sleep 60")
    run = pid_in(spawning.work / "pid")
    spares = waiting_beside(spawning, "run.1")
    assert spawning.link.pid is not None

    os.kill(spawning.link.pid, signal.SIGKILL)

    eventually(lambda: not any(map(is_alive, spares)))
    assert is_alive(run)
    os.killpg(run, signal.SIGKILL)


def waiting_beside(spawning: Spawning, key: str) -> set[int]:
    """The processes that wait, and none that belongs to a run."""
    eventually(lambda: len(spawning.folders.facts(key).parents) == 2)
    facts = spawning.folders.facts(key)
    assert facts.process is not None
    runs = {facts.process.pid, facts.parents[0].pid}
    eventually(lambda: len(set(descendants(spawning.link.pid or 0)) - runs) == SPARES)
    return set(descendants(spawning.link.pid or 0)) - runs


def test_spares_end_with_a_spawner_whose_core_has_gone(spawning: Spawning) -> None:
    spares = waiting(spawning)

    spawning.link.hang_up()

    assert spawning.link.wait(60)
    eventually(lambda: not any(map(is_alive, spares)))


def test_a_run_holds_nothing_of_the_spawner_or_of_others_that_wait(spawning: Spawning) -> None:
    kept = spawning.keep(
        "import os\n"
        "from schedulerd import flow\n"
        "@flow\n"
        "def f():\n"
        "    for name in os.listdir('/proc/self/fd'):\n"
        "        try:\n"
        "            print(os.readlink(f'/proc/self/fd/{name}'))\n"
        "        except OSError:\n"
        "            pass\n"
    )
    waiting(spawning)
    spawning.start("run.1", **kept)
    spawning.hear(wire.Ended, "run.1")
    held = (spawning.folders.runs / "run.1" / "stdout.log").read_text() + (
        spawning.folders.runs / "run.1" / "journal.jsonl"
    ).read_text()

    assert "journal.jsonl" in held
    assert held.count("socket:") <= 1  # the bell


def test_a_command_in_a_spare_is_ended_at_its_limit_with_all_that_it_started(spawning: Spawning) -> None:
    waiting(spawning)

    spawning.start(
        "run.1",
        kind="command",
        command="trap '' TERM; sleep 60 & setsid sleep 61 & echo $! > child; wait",
        timeout_seconds=0.3,
    )
    spawning.hear(wire.Ended, "run.1")

    assert not is_alive(pid_in(spawning.work / "child"))


def test_random_numbers_of_runs_are_their_own(spawning: Spawning) -> None:
    text = "import random\nfrom schedulerd import flow\n@flow(log_prints=True)\ndef f():\n    print(random.random())\n"
    waiting(spawning)

    said = {tuple(spawning.flow(text, f"run.{number}").lines()) for number in range(3)}

    assert len(said) == 3


def test_a_spare_is_in_a_cgroup_of_its_own_before_it_is_a_run(tmp_path: Path) -> None:
    with delegated_cgroup() as ours:
        made = Spawning(tmp_path, spares=SPARES)
        with being_in(ours):
            made.__enter__()
        try:
            before = waiting(made)
            eventually(lambda: len(list((ours / "runs").glob("spare-*"))) == SPARES)
            ran = made.command("cat /proc/self/cgroup; setsid --fork sleep 60; echo $! > ignored")
        finally:
            made.__exit__(None, None, None)

        inside = next(line for line in ran.stdout.decode().splitlines() if line.startswith("0::"))
        assert int(inside.rpartition("spare-")[2]) in before
        assert ran.exit.left == 1
