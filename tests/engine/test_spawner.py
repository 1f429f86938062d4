"""The spawner, a real program, over the line that the core has to it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.engine import wire
from schedulerd.engine.folders import RUNS
from schedulerd.engine.leftovers import end_group
from schedulerd.engine.notes import read_exit
from tests.engine.scenes import PATIENCE, Ran, Spawning, descendants, is_alive, pid_in
from tests.waiting import eventually


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def test_a_run_is_taken_and_ends_and_its_folder_says_how(spawning: Spawning) -> None:
    ran = spawning.command("exit 3")

    assert (ran.exit.status, ran.exit.signal, ran.exit.stopped, ran.exit.left) == (3, None, None, 0)
    assert ran.exit.cpu_ms is not None
    assert ran.exit.max_rss_bytes is not None
    assert [record["k"] for record in ran.records] == ["start", "exit"]


def test_the_folder_tells_which_process_runs_it_and_whose_child_it_is(spawning: Spawning) -> None:
    key = spawning.start("run.1", kind="command", command="sleep 60")

    eventually(lambda: len(spawning.folders.facts(key).parents) == 2)
    facts = spawning.folders.facts(key)

    assert facts.where == RUNS
    assert facts.process is not None
    keeper, spawner = facts.parents
    assert spawner.pid == spawning.link.pid
    assert keeper.pid in descendants(spawner.pid)
    assert facts.process.pid in descendants(keeper.pid)


def test_what_is_not_prepared_is_gone(spawning: Spawning) -> None:
    spawning.link.ask(wire.Start(key="nobody.1"))

    assert spawning.hear(wire.Gone) == wire.Gone(key="nobody.1")


def test_a_request_that_comes_twice_is_run_once(spawning: Spawning) -> None:
    spawning.prepare("run.1", kind="command", command="echo once >> ran")

    for _ in range(2):
        spawning.link.ask(wire.Start(key="run.1"))

    spawning.hear(wire.Gone, "run.1")
    spawning.hear(wire.Ended, "run.1")
    assert (spawning.work / "ran").read_text() == "once\n"


def test_of_two_spawners_asked_for_the_same_runs_one_runs_each(tmp_path: Path) -> None:
    with Spawning(tmp_path) as one, Spawning(tmp_path) as other:
        keys = [
            one.prepare(f"run.{number}", kind="command", command=f"echo {number} >> ran")
            for number in range(20)
        ]
        for key in keys:
            one.link.ask(wire.Start(key=key))
            other.link.ask(wire.Start(key=key))

        eventually(lambda: all(read_exit(one.folders.runs / key) for key in keys), within=10)

        assert sorted((one.work / "ran").read_text().split(), key=int) == [str(n) for n in range(20)]


def test_a_request_that_is_no_json_costs_its_run_and_not_the_spawner(spawning: Spawning) -> None:
    folder = spawning.folders.ready / "torn.1"
    folder.mkdir()
    (folder / "armed").write_text('{"kind": "comm')

    spawning.link.ask(wire.Start(key="torn.1"))

    spawning.hear(wire.Ended, "torn.1")
    assert spawning.command("true").exit.status == 0


# -- ending -------------------------------------------------------------------------------------------------------


def test_a_run_is_ended_politely(spawning: Spawning) -> None:
    spawning.start(
        "run.1", kind="command", command="trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    )
    output = spawning.folders.runs / "run.1" / "stdout.log"
    eventually(lambda: output.exists() and output.read_text() == "up\n")

    spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=10))
    spawning.hear(wire.Ended)

    ran = Ran(spawning.folders.runs / "run.1")
    assert (ran.exit.status, ran.exit.stopped) == (0, "cancel")
    assert ran.stdout == b"up\nbye\n"


def test_a_run_that_does_not_listen_is_killed_after_its_grace(spawning: Spawning) -> None:
    spawning.start("run.1", kind="command", command="trap '' TERM; echo $$ > pid; sleep 60 & wait; sleep 60")
    pid = pid_in(spawning.work / "pid")

    spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=0.2))
    spawning.hear(wire.Ended)

    ran = Ran(spawning.folders.runs / "run.1")
    assert (ran.exit.signal, ran.exit.stopped) == (signal.SIGKILL, "cancel")
    assert not is_alive(pid)


def test_a_run_that_was_forked_a_moment_ago_hears_that_it_is_to_end(spawning: Spawning) -> None:
    for number in range(30):
        key = spawning.prepare(f"run.{number}", kind="command", command="sleep 60")
        spawning.link.ask(wire.Start(key=key))
        spawning.link.ask(wire.Stop(key=key, why="cancel", grace=5))  # both are there when it looks

    for number in range(30):
        spawning.hear(wire.Ended, f"run.{number}")
        ended = read_exit(spawning.folders.runs / f"run.{number}")
        assert ended is not None
        assert ended.signal == signal.SIGTERM


def test_a_run_is_ended_at_its_time_limit(spawning: Spawning) -> None:
    ran = spawning.command("sleep 60", timeout_seconds=0.2)

    assert (ran.exit.signal, ran.exit.stopped) == (signal.SIGTERM, "timeout")


def test_a_run_that_does_not_listen_at_its_time_limit_is_killed_well_within_a_second(
    spawning: Spawning,
) -> None:
    began = time.monotonic()
    ran = spawning.command("trap '' TERM; while :; do :; done", timeout_seconds=0.5, grace=60)

    assert (ran.exit.signal, ran.exit.stopped) == (signal.SIGKILL, "timeout")
    assert time.monotonic() - began < 40  # and not the minute of grace


def test_a_keeper_that_was_stopped_keeps_no_dead_command(spawning: Spawning) -> None:
    key = spawning.start("run.1", kind="command", command="sleep 60")
    eventually(lambda: len(spawning.folders.facts(key).parents) == 2)
    os.kill(spawning.folders.facts(key).parents[0].pid, signal.SIGSTOP)

    spawning.link.ask(wire.Stop(key=key, why="cancel", grace=0.1))
    spawning.hear(wire.Ended)

    assert Ran(spawning.folders.runs / key).exit.stopped == "cancel"


def test_a_command_whose_keeper_is_killed_does_not_go_on(spawning: Spawning) -> None:
    key = spawning.start("run.1", kind="command", command="sleep 60 & sleep 60")
    eventually(lambda: len(spawning.folders.facts(key).parents) == 2)
    facts = spawning.folders.facts(key)
    group = facts.process.pid if facts.process else 0
    assert end_group(group, 0)

    os.kill(facts.parents[0].pid, signal.SIGKILL)
    spawning.hear(wire.Ended)

    assert Ran(spawning.folders.runs / key).exit.signal == signal.SIGKILL
    eventually(lambda: not end_group(group, 0))


def test_a_stop_for_nobody_is_no_trouble(spawning: Spawning) -> None:
    spawning.link.ask(wire.Stop(key="nobody.1", why="cancel", grace=1))

    assert spawning.command("true").exit.status == 0


LEFT_BEHIND = {
    "in its group": "sleep 60 & echo $! > pid",
    "in a session of its own": "setsid sh -c 'echo $$ > pid; exec sleep 60' & sleep 0.2",
    "orphaned twice": "setsid sh -c 'setsid sh -c \"echo \\$\\$ > pid; exec sleep 60\" & exit' ; sleep 0.2",
    "deaf": "setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done' & sleep 0.2",
    "without its environment": "setsid env -i sh -c 'echo $$ > pid; exec sleep 60' & sleep 0.2",
}


@pytest.mark.parametrize("how", LEFT_BEHIND)
def test_what_a_run_leaves_behind_is_ended_and_counted(spawning: Spawning, how: str) -> None:
    ran = spawning.command(LEFT_BEHIND[how])

    assert ran.exit.status == 0
    assert ran.exit.left >= 1
    assert not is_alive(pid_in(spawning.work / "pid"))


def test_the_leftovers_of_one_run_are_not_another_runs(spawning: Spawning) -> None:
    spawning.start("run.2", kind="command", command="setsid sh -c 'echo $$ > pid; exec sleep 60' & wait")
    other = pid_in(spawning.work / "pid")

    spawning.command("true", "run.1")

    assert is_alive(other)


# -- after the core -----------------------------------------------------------------------------------------------


def test_a_spawner_without_runs_ends_when_its_core_has_gone(spawning: Spawning) -> None:
    spawning.link.hang_up()

    assert spawning.link.wait(PATIENCE)


def test_a_spawner_stays_until_its_runs_have_ended_and_leaves_how(spawning: Spawning) -> None:
    spawning.start("run.1", kind="command", command="while [ ! -e go ]; do sleep 0.01; done; exit 5")

    spawning.link.hang_up()
    assert not spawning.link.wait(0.2)
    (spawning.work / "go").touch()

    assert spawning.link.wait(PATIENCE)
    assert Ran(spawning.folders.runs / "run.1").exit.status == 5


def test_a_time_limit_is_enforced_after_the_core_has_gone(spawning: Spawning) -> None:
    spawning.start("run.1", kind="command", command="sleep 60", timeout_seconds=0.4)

    spawning.link.hang_up()

    assert spawning.link.wait(PATIENCE)
    assert Ran(spawning.folders.runs / "run.1").exit.stopped == "timeout"


def test_a_run_goes_on_when_its_spawner_is_killed(spawning: Spawning) -> None:
    spawning.start("run.1", kind="command", command="while [ ! -e go ]; do sleep 0.01; done; echo done > end")
    assert spawning.link.pid is not None

    os.kill(spawning.link.pid, signal.SIGKILL)
    spawning.hear(None)
    (spawning.work / "go").touch()

    eventually((spawning.work / "end").exists)


# -- what a run gets ----------------------------------------------------------------------------------------------


def test_no_run_holds_a_descriptor_of_the_spawner_or_of_another_run(spawning: Spawning) -> None:
    for number in range(3):
        spawning.start(f"other.{number}", kind="command", command="sleep 60")

    ran = spawning.flow(
        "import os\n"
        "from schedulerd import flow\n"
        "@flow\n"
        "def descriptors():\n"
        "    for number in os.listdir('/proc/self/fd'):\n"
        "        try: print(os.readlink(f'/proc/self/fd/{number}'))\n"
        "        except OSError: pass\n"
    )

    held = ran.lines("stdout")
    assert not [path for path in held if "other." in path]
    assert len([path for path in held if path.startswith("socket")]) == 1  # that of its doorbell


def test_a_command_holds_nothing_but_its_three_files(spawning: Spawning) -> None:
    spawning.start("other.1", kind="command", command="sleep 60")

    ran = spawning.command("exec ls -l /proc/self/fd")

    links = [line.rpartition(b" -> ")[2].decode() for line in ran.stdout.splitlines() if b" -> " in line]
    outputs = [str(ran.folder / name) for name in ("stdout.log", "stderr.log")]
    own = [link for link in links if not link.startswith("/proc/")]  # but for the folder that `ls` reads
    assert own == ["/dev/null", *outputs]


def test_nothing_is_left_unreaped(spawning: Spawning) -> None:
    assert spawning.link.pid is not None
    for number in range(5):
        spawning.command("sh -c 'sleep 0 &' & setsid sleep 0 &", f"run.{number}")

    eventually(lambda: descendants(spawning.link.pid or 0) == [])


def test_descriptors_of_the_spawner_do_not_grow_with_runs(spawning: Spawning) -> None:
    def count() -> int:
        return len(os.listdir(f"/proc/{spawning.link.pid}/fd"))

    spawning.command("true", "run.0")
    before = count()
    for number in range(1, 10):
        spawning.command("true", f"run.{number}")

    assert count() == before


def test_a_preload_that_fails_costs_its_warmth_and_nothing_else(tmp_path: Path) -> None:
    with Spawning(tmp_path, preload=("no_such_module_here",)) as spawning:
        assert spawning.command("true").exit.status == 0


def test_a_run_ignores_no_signal_that_whoever_started_the_daemon_did(tmp_path: Path) -> None:
    signs = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)
    before = [signal.signal(sign, signal.SIG_IGN) for sign in signs]
    try:
        with Spawning(tmp_path) as spawning:
            ran = spawning.command("grep SigIgn /proc/self/status")
    finally:
        for sign, handler in zip(signs, before, strict=True):
            signal.signal(sign, handler)

    ignored = int(ran.stdout.split()[1], 16)
    assert [sign for sign in signs if ignored & 1 << (sign - 1)] == []


def test_a_time_limit_counts_from_when_the_run_began(spawning: Spawning) -> None:
    spawning.start("run.1", kind="command", command="sleep 60", timeout_seconds=0.5)
    assert spawning.link.pid is not None
    # as on a machine that had something else to do: it is taken, and begins a while later
    began = spawning.folders.runs / "run.1" / "started"
    eventually(began.exists)
    taken = next(spawning.folders.runs.glob("run.1/.exit.json"))
    late = began.stat().st_ctime - 1.5
    os.utime(taken, (late, late))

    spawning.hear(wire.Ended, "run.1")

    ended = read_exit(spawning.folders.runs / "run.1")
    assert ended is not None
    assert ended.stopped == "timeout"
    assert ended.ended_us / 1_000_000 - late >= 1.5 + 0.5 + 1.0


TELLS_WHAT_IS_LOADED = """
import os, sys

BEFORE = set(sys.modules) | {__name__}

def tell(status, end=os._exit):
    with open("loaded", "w") as file:
        file.write(" ".join(sorted(set(sys.modules) - BEFORE)))
    end(status)

os._exit = tell
"""
WITH_TASKS = """
from schedulerd import flow, get_run_logger, task

@task(retries=2)
def numbers(): return [1, 2, 3]

@task
def double(number): return number * 2

@flow(log_prints=True)
def doubles():
    print("begins")
    get_run_logger().info("goes on")
    return [future.result() for future in double.map(numbers())] + [double.submit(4).result()]
"""
WITH_AWAIT = "from schedulerd import flow\n\n@flow\nasync def waits():\n    return 1\n"
DRAWN = """
from schedulerd import Flow, Parameter, task

@task
def numbers(count): return list(range(count))

@task
def double(number): return number * 2

with Flow("drawn") as flow:
    double.map(numbers(Parameter("count", default=3)))
"""


@pytest.mark.parametrize("text", [WITH_TASKS, WITH_AWAIT, DRAWN], ids=["tasks", "await", "drawn"])
def test_what_usual_flows_need_is_loaded_once_and_in_no_run(spawning: Spawning, text: str) -> None:
    ran = spawning.flow(text + TELLS_WHAT_IS_LOADED)

    assert ran.end["s"] == "completed", ran.end
    assert (spawning.work / "loaded").read_text() == ""
