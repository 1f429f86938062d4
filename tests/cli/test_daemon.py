"""`status`, `stop`, `reload`, `start`, `db`: the daemon and its database, as seen from outside."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from schedulerd.clock import SystemClock
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.failures import Failure
from schedulerd.domain.health import Health, Trouble, TroubleKind
from schedulerd.domain.states import RunState
from schedulerd.engine.health_file import HealthFile
from tests.builders import BOOT, NOW
from tests.cli.scenes import Project, StillClock

# Holds the state directory as a daemon does; SIGHUP is told, SIGTERM ends it unless it is stubborn.
HOLDER = """
import signal, sys
from pathlib import Path
from schedulerd.engine.lock import DaemonLock, note_reload, take_stop_order
state_dir, how = Path(sys.argv[1]), sys.argv[2]
lock = DaemonLock(state_dir)
lock.acquire()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})
print("ready", flush=True)
while True:
    number = signal.sigwait({signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1})
    if number == signal.SIGUSR1 or (number == signal.SIGTERM and how != "stubborn"):
        print(take_stop_order(state_dir), flush=True)
        break
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGHUP:
        note_reload(state_dir)
"""


class Holder:
    """A process that holds the state directory of a project."""

    def __init__(self, project: Project, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", HOLDER, str(project.state_dir), how],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.said() == "ready"

    def said(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
        self.process.communicate(timeout=60)


@pytest.fixture
def daemon(project: Project) -> Iterator[Holder]:
    """What looks like a daemon from outside."""
    holder = Holder(project, "willing")
    yield holder
    holder.end()


@pytest.fixture
def stubborn(project: Project) -> Iterator[Holder]:
    """One that does not stop."""
    holder = Holder(project, "stubborn")
    yield holder
    holder.end()


def test_the_status_says_that_no_daemon_runs(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.SCHEDULED)

    result = project.call("status")

    assert result.exit_code == 6
    assert "schedulerd does not run; start it with `schedulerd start`" in result.stdout
    assert "0 running, 1 waiting" in result.stdout


def test_the_status_has_a_paragraph_for_each_finding_of_a_file(project: Project) -> None:
    message = "'61 * * * *'\n ^^\n is no minute; line 9: there is no flow 'etk'; line 12: no zone; and 3 more"
    with project.database.write() as tx:
        failure = Failure(type="BadDefinition", message=message, line=2)
        tx.flows.set_file_error("config/schedules/a.toml", failure, now=NOW)

    shown = project.call("status").stdout.splitlines()

    assert shown[shown.index("✕ 1 file with errors") + 1 :] == [
        "  config/schedules/a.toml:2: '61 * * * *'",
        "     ^^",
        "     is no minute",
        "    line 9: there is no flow 'etk'",
        "    line 12: no zone",
        "    and 3 more",
    ]


def test_the_status_of_a_running_daemon_names_its_process_and_the_files_with_errors(
    project: Project, daemon: Holder
) -> None:
    project.add_flow()
    with project.database.write() as tx:
        tx.agents.beat(
            AgentBeat(
                name="here",
                host="here",
                pid=daemon.process.pid,
                version="9.9",
                boot_id=BOOT,
                started_at=NOW - timedelta(hours=2),
                beat_at=NOW,
            )
        )
        tx.flows.set_file_error("flows/bad.py", Failure(type="SyntaxError", message="oh", line=2), now=NOW)

    result = project.call("status")
    shape = json.loads(project.call("status", "-o", "json").stdout)

    assert result.exit_code == 0
    assert f"schedulerd runs (process {daemon.process.pid})" in result.stdout
    assert "9.9" in result.stdout
    assert "(2h ago)" in result.stdout
    assert "flows/bad.py:2: oh" in result.stdout
    assert shape["running"] is True
    assert shape["problems"][0]["file"] == "flows/bad.py"
    assert shape["agents"][0]["name"] == "here"


def test_the_status_of_a_daemon_is_told_while_its_database_is_away(project: Project, daemon: Holder) -> None:
    (project.state_dir / "schedulerd.db").unlink()

    result = project.call("status")

    assert result.exit_code == 6
    assert f"schedulerd runs (process {daemon.process.pid})" in result.stdout
    assert "there is no database" in result.stderr
    project.database.close()
    project.database.upgrade()


def test_what_a_daemon_says_of_its_health_is_told_with_what_to_do_also_without_a_database(
    project: Project, daemon: Holder
) -> None:
    trouble = Trouble(
        kind=TroubleKind.DATABASE, reason="the database does not answer", since=NOW, mend="look at it"
    )
    _says(project, daemon.process.pid, trouble)
    (project.state_dir / "schedulerd.db").rename(project.state_dir / "aside.db")

    result = project.call("status")
    shape = json.loads(project.call("status", "-o", "json").stdout)

    assert result.exit_code == 6
    assert "✕ no runs are started" in result.stdout
    assert "✕ the database does not answer  (now)" in result.stdout
    assert "    look at it" in result.stdout
    assert (shape["running"], shape["ready"], shape["runs"]) == (True, False, None)
    assert [said["kind"] for said in shape["troubles"]] == ["database"]
    (project.state_dir / "aside.db").rename(project.state_dir / "schedulerd.db")


def test_trouble_that_keeps_no_run_from_starting_is_shown_and_is_no_failure(
    project: Project, daemon: Holder
) -> None:
    _says(
        project,
        daemon.process.pid,
        Trouble(kind=TroubleKind.WEB, reason="the web process has died", since=NOW),
    )

    result = project.call("status")

    assert result.exit_code == 0
    assert "✕ the web process has died" in result.stdout
    assert "no runs are started" not in result.stdout


def test_the_health_of_an_earlier_daemon_is_not_told_of_this_one(project: Project, daemon: Holder) -> None:
    _says(project, 1, Trouble(kind=TroubleKind.SPACE, reason="no room", since=NOW))

    result = project.call("status")

    assert result.exit_code == 0
    assert "no room" not in result.stdout


def test_a_daemon_that_gives_no_sign_of_life_is_said_to_hang(project: Project, daemon: Holder) -> None:
    _says(project, daemon.process.pid)
    file = project.state_dir / "health.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps(said | {"monotonic": said["monotonic"] - 100}))

    result = project.call("status")

    assert result.exit_code == 6
    assert re.search(r"has given no sign of life for 1[0-9]{2} s", result.stdout)


def test_a_run_that_waits_because_no_runs_are_started_says_why(project: Project, daemon: Holder) -> None:
    project.add_flow()
    _says(project, daemon.process.pid, Trouble(kind=TroubleKind.SPACE, reason="there is no room", since=NOW))
    project.add_run(RunState.SCHEDULED, due_at=NOW - timedelta(minutes=1))

    shown = project.call("runs", "show", "etl#1")

    assert shown.exit_code == 0
    assert "no runs are started now, because there is no room" in shown.stderr


def _says(project: Project, pid: int, *troubles: Trouble) -> None:
    file = HealthFile(project.state_dir)
    file.write(Health(troubles=troubles))
    file.close()
    path = project.state_dir / "health.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": pid}))


@pytest.mark.parametrize(
    ("args", "order"),
    [
        ([], "None"),
        (["--now"], "StopOrder(how='cancel', patience=0.0)"),
        (["--drain", "90s"], "StopOrder(how='drain', patience=90.0)"),
    ],
    ids=str,
)
def test_stop_ends_the_daemon_and_says_how(
    project: Project, daemon: Holder, args: list[str], order: str
) -> None:
    result = project.call("stop", *args, clock=SystemClock())

    assert result.exit_code == 0
    assert f"stopped schedulerd (process {daemon.process.pid})" in result.stderr
    assert daemon.said() == order


def test_a_daemon_that_does_not_stop_in_time_goes_on_doing_so(project: Project, stubborn: Holder) -> None:
    result = project.call("stop", clock=StillClock(step=30.0))

    assert result.exit_code == 7
    assert "still stopping" in result.stderr


def test_where_no_daemon_runs_there_is_nothing_to_stop(project: Project) -> None:
    result = project.call("stop")

    assert result.exit_code == 0
    assert "nothing to stop" in result.stderr


def test_draining_and_cancelling_exclude_each_other(project: Project) -> None:
    assert project.call("stop", "--now", "--drain", "1m").exit_code == 2


def test_reload_has_the_daemon_read_its_files_again(project: Project, daemon: Holder) -> None:
    result = project.call("reload")

    assert result.exit_code == 0
    assert daemon.said() == "SIGHUP"


def test_reload_without_a_daemon_tells_how_to_start_one(project: Project) -> None:
    result = project.call("reload")

    assert result.exit_code == 6
    assert "start it with `schedulerd start`" in result.stderr


def test_a_second_daemon_is_refused(project: Project, daemon: Holder) -> None:
    with project.spawn("start", "--no-web") as second:
        _, said = second.communicate(timeout=180)

    assert second.returncode == 5
    assert f"process {daemon.process.pid}" in said
    assert "Traceback" not in said


def test_history_is_readable_while_no_daemon_runs(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.COMPLETED)

    for args in (["runs", "list"], ["runs", "show", "@last"], ["logs"], ["flows", "list"], ["next"]):
        assert project.call(*args).exit_code == 0


def test_a_database_that_is_not_there_is_told_with_its_mend(project: Project) -> None:
    (project.state_dir / "schedulerd.db").unlink()

    result = project.call("runs", "list")

    assert result.exit_code == 6
    assert "run `schedulerd db upgrade`" in result.stderr
    assert project.call("db", "upgrade").exit_code == 0
    assert project.call("runs", "list").exit_code == 0


def test_the_status_of_the_database_names_its_schema(project: Project) -> None:
    result = project.call("db", "status", "-o", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["is_current"] is True


def test_an_outdated_database_is_told_with_its_mend(project: Project) -> None:
    (project.state_dir / "schedulerd.db").unlink()
    (project.state_dir / "schedulerd.db").touch()

    listed, status = project.call("runs", "list"), project.call("db", "status")

    assert listed.exit_code == status.exit_code == 6
    assert "schedulerd db upgrade" in listed.stderr
    assert "schedulerd db upgrade" in status.stdout
    project.database.upgrade()


def test_a_mistake_in_the_settings_is_told_with_its_line(project: Project) -> None:
    project.config.write_text('flows = ["flows"]\nmax_runing = 3\n')

    result = project.call("runs", "list")

    assert result.exit_code == 8
    assert "schedulerd.toml:2: `max_runing` is not a setting; did you mean 'max_running'?" in result.stderr


def test_a_settings_file_that_is_not_there_is_not_found(project: Project) -> None:
    project.config.unlink()

    result = project.call("runs", "list")

    assert result.exit_code == 3
    assert "schedulerd init" in result.stderr


# Reads once as root, so that all is imported, and then as somebody who may not write.
AS_NOBODY = """
import contextlib, io, os, sys
from schedulerd.cli.root import root
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    root.main(sys.argv[1:])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
root.main(sys.argv[1:])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_may_not_be_written_says_how_to_read_the_history(project: Project) -> None:
    project.add_flow()
    project.add_run()
    project.database.close()
    (project.state_dir / "schedulerd.db").chmod(0o644)
    for folder in [project.state_dir, *list(project.folder.parents)[:-2], project.folder]:
        folder.chmod(folder.stat().st_mode | 0o055)  # pytest closes its folders to others

    command = [sys.executable, "-P", "-c", AS_NOBODY, "--config", str(project.config), "runs", "list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    assert done.returncode == 6
    assert "join the group `schedulerd`" in done.stderr
