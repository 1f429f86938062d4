"""The cgroups of runs: where they may be made, and that nothing gets out of one."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.engine import wire
from schedulerd.engine.cgroups import RunCgroups, delegated, is_delegated, own_cgroup
from schedulerd.engine.leftovers import Leftovers
from schedulerd.engine.processes import every_process
from tests.cgroups import being_in, delegated_cgroup, members, own
from tests.engine.scenes import Ran, Spawning, is_alive, pid_in, read_bytes
from tests.ghosts import deaf_ghost, ghost
from tests.waiting import eventually


@pytest.fixture
def ours() -> Iterator[Path]:
    with delegated_cgroup() as cgroup:
        yield cgroup


@pytest.fixture
def spawning(tmp_path: Path, ours: Path) -> Iterator[Spawning]:
    made = Spawning(tmp_path)
    with being_in(ours):
        made.__enter__()
    try:
        yield made
    finally:
        made.__exit__(None, None, None)


# -- where --------------------------------------------------------------------------------------------------------

HYBRID = "37 30 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
V2 = "38 30 0:33 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
UNIFIED = "38 30 0:33 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n"
PART = "38 30 0:33 /box /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
OWN = "0::/system.slice/schedulerd.service\n"


@pytest.mark.parametrize(
    ("cgroups", "mounts", "found"),
    [
        pytest.param(OWN, V2, "/sys/fs/cgroup/system.slice/schedulerd.service", id="version 2"),
        pytest.param(
            f"1:name=systemd:/system.slice\n{OWN}",
            HYBRID + UNIFIED,
            "/sys/fs/cgroup/unified/system.slice/schedulerd.service",
            id="both versions",
        ),
        pytest.param("1:name=systemd:/\n", HYBRID, None, id="version 1"),
        pytest.param(OWN, "", None, id="not mounted"),
        pytest.param("0::/box/mine\n", PART, "/sys/fs/cgroup/mine", id="a part is mounted"),
        pytest.param(OWN, PART, None, id="another part is mounted"),
        pytest.param("0::/../other\n", V2.replace(" / ", " /box ", 1), None, id="outside of the namespace"),
    ],
)
def test_the_own_cgroup_is_found_where_it_can_be_seen(cgroups: str, mounts: str, found: str | None) -> None:
    assert own_cgroup(cgroups, mounts) == (None if found is None else Path(found))


def test_only_what_was_delegated_is_divided(ours: Path) -> None:
    with being_in(ours):
        assert delegated() == ours

        os.removexattr(ours, "user.delegate")
        assert delegated() is None


def test_a_cgroup_that_was_made_over_to_a_user_is_that_users_and_not_roots(ours: Path) -> None:
    os.removexattr(ours, "user.delegate")
    os.chown(ours, 65534, -1)

    assert is_delegated(ours, uid=65534)
    assert not is_delegated(ours, uid=0)
    assert not is_delegated(ours, uid=1)


def test_the_root_of_all_is_never_divided(tmp_path: Path) -> None:
    assert not is_delegated(tmp_path, uid=os.stat(tmp_path).st_uid)  # which, like it, has no type


# -- in and out ---------------------------------------------------------------------------------------------------


def test_a_run_and_what_it_starts_are_in_a_cgroup_of_its_own_which_goes_with_it(
    spawning: Spawning, ours: Path
) -> None:
    ran = spawning.command("cat /proc/self/cgroup; setsid cat /proc/self/cgroup")

    inside = [line for line in ran.stdout.decode().splitlines() if line.startswith("0::")]
    assert len(inside) == 2
    assert all(line.endswith(f"/{ours.name}/runs/run.1") for line in inside)
    RunCgroups(spawning.folders.runs, ours / "runs").sweep(kept=())
    assert not (ours / "runs" / "run.1").exists()


def test_without_a_cgroup_a_ghost_stays(tmp_path: Path) -> None:
    """The negative control: nothing but the cgroup finds it."""
    pid = tmp_path / "ghost"
    with Spawning(tmp_path) as spawning:
        ran = spawning.command(ghost(pid))

        assert ran.exit.left == 0
        assert is_alive(pid_in(pid))
        os.kill(pid_in(pid), signal.SIGKILL)


def test_a_ghost_that_a_run_left_is_ended_and_counted(spawning: Spawning, tmp_path: Path) -> None:
    ran = spawning.command(ghost(tmp_path / "ghost"))

    assert (ran.exit.status, ran.exit.left) == (0, 1)
    assert not is_alive(pid_in(tmp_path / "ghost"))


def test_what_is_counted_by_its_group_or_its_environment_is_not_counted_again(spawning: Spawning) -> None:
    ran = spawning.command("sleep 60 & sleep 60 & setsid sleep 60 & sleep 0.2")

    assert ran.exit.left == 2  # one group, and one orphan


def test_a_deaf_ghost_is_killed_after_its_grace(spawning: Spawning, tmp_path: Path) -> None:
    ran = spawning.command(deaf_ghost(tmp_path / "ghost"))

    assert ran.exit.left == 1
    assert not is_alive(pid_in(tmp_path / "ghost"))


def test_a_ghost_is_ended_with_a_run_that_is_cancelled(spawning: Spawning, tmp_path: Path) -> None:
    command = deaf_ghost(tmp_path / "ghost") + "trap '' TERM; while :; do sleep 0.1; done"
    key = spawning.start("run.1", kind="command", command=command)
    pid = pid_in(tmp_path / "ghost")

    spawning.link.ask(wire.Stop(key=key, why="cancel", grace=0.2))
    spawning.hear(wire.Ended)

    assert Ran(spawning.folders.runs / key).exit.stopped == "cancel"
    assert not is_alive(pid)


def test_a_ghost_is_ended_with_a_run_that_is_out_of_time(spawning: Spawning, tmp_path: Path) -> None:
    ran = spawning.command(deaf_ghost(tmp_path / "ghost") + "sleep 600", timeout_seconds=2)

    assert ran.exit.stopped == "timeout"
    assert not is_alive(pid_in(tmp_path / "ghost"))


def test_what_a_run_divided_further_is_ended_and_removed_too(
    spawning: Spawning, ours: Path, tmp_path: Path
) -> None:
    inner = ours / "runs" / "run.1" / "inner"
    ran = spawning.command(
        f"mkdir -p {inner}/empty && echo $$ > {inner}/cgroup.procs; {ghost(tmp_path / 'ghost')}"
    )

    assert ran.exit.left == 1
    assert not is_alive(pid_in(tmp_path / "ghost"))
    RunCgroups(spawning.folders.runs, ours / "runs").sweep(kept=())
    assert not inner.parent.exists()


def test_what_a_run_may_leave_lives_on_and_its_cgroup_goes_when_it_has_ended(
    spawning: Spawning, ours: Path, tmp_path: Path
) -> None:
    cgroups = RunCgroups(spawning.folders.runs, ours / "runs")
    ran = spawning.command(ghost(tmp_path / "ghost"), surroundings={"leave_children": True})
    pid = pid_in(tmp_path / "ghost")
    assert ran.exit.left == 0

    cgroups.sweep(kept=())
    assert is_alive(pid)
    assert members(ours / "runs" / "run.1") == [pid]

    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid))
    cgroups.sweep(kept={"run.1"})
    assert (ours / "runs" / "run.1").exists()
    cgroups.sweep(kept=())
    assert not (ours / "runs" / "run.1").exists()


def test_a_run_as_another_user_is_in_its_cgroup_too_and_cannot_leave_it(
    spawning: Spawning, ours: Path
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o777)
        pid, escaped = Path(folder, "ghost"), Path(folder, "escaped")
        escape = f"echo $$ > {ours}/cgroup.procs && touch {escaped}\n"
        command = escape + ghost(pid, python="/usr/bin/python3")

        ran = spawning.command(command, surroundings={"user": "nobody"}, directory=folder)

        assert (ran.exit.status, ran.exit.left) == (0, 1)
        assert not is_alive(pid_in(pid))
        assert not escaped.exists()


@pytest.mark.parametrize("knows", ["where they are made", "only what stands in the folder"])
def test_the_ghost_of_a_run_whose_spawner_died_is_found_by_another(
    spawning: Spawning, ours: Path, tmp_path: Path, knows: str
) -> None:
    key = spawning.start(
        "run.1", kind="command", command=ghost(tmp_path / "ghost") + "echo left > left; sleep 600"
    )
    eventually(lambda: read_bytes(spawning.work / "left"))
    process = spawning.folders.facts(key).process
    assert process is not None
    assert spawning.link.pid is not None
    os.kill(spawning.link.pid, signal.SIGKILL)
    os.killpg(process.pid, signal.SIGKILL)
    eventually(lambda: not is_alive(process.pid))

    root = ours / "runs" if knows == "where they are made" else None
    leftovers = Leftovers(spawning.folders.runs, every_process, RunCgroups(spawning.folders.runs, root))

    eventually(lambda: leftovers.end(key, None, signal.SIGKILL) == 0)
    assert not is_alive(pid_in(tmp_path / "ghost"))


# -- without ------------------------------------------------------------------------------------------------------


def test_a_run_for_which_no_cgroup_can_be_made_runs_without(spawning: Spawning, ours: Path) -> None:
    (ours / "cgroup.max.descendants").write_text("0")

    ran = spawning.command("cat /proc/self/cgroup; setsid sleep 60 & sleep 0.2")

    assert (ran.exit.status, ran.exit.left) == (0, 1)
    assert any(line.endswith(f"/{ours.name}") for line in ran.stdout.decode().splitlines())


def test_a_note_that_leads_elsewhere_is_not_followed(spawning: Spawning, ours: Path) -> None:
    other = ours / "other"
    other.mkdir()
    with being_in(other):
        link = "ln -sfn {other} {folder}/cgroup; setsid sleep 60 & sleep 0.2"
        ran = spawning.command(link.format(other=other, folder=spawning.folders.runs / "run.1"))

        assert (ran.exit.status, ran.exit.left) == (0, 1)  # and the test lives
    assert own() != other
