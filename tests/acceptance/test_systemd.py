"""The service under a real systemd: installed from a wheel, started, reloaded, hung, restarted, stopped, taken away."""

import json
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ghosts import deaf_ghost
from tests.requirements import missing
from tests.systemd_namespace import CannotStart, SystemdNamespace, why_not
from tests.waiting import SLOWER, eventually

pytestmark = pytest.mark.systemd

CHECKOUT = Path(__file__).parents[2]
UNIT_FILE = CHECKOUT / "systemd/schedulerd.service"
HIGHEST_EXPOSURE = 1.8
WATCHDOG_SECONDS = 3.0
_DROP_INS = "/etc/systemd/system/schedulerd.service.d"
_PAUSE_SECONDS = 0.25  # between two calls of the program, each of which costs as much in CPU

PROGRAM = "/opt/schedulerd/bin/schedulerd"
FLOWS = "/etc/schedulerd/flows"
WORK = "/var/lib/schedulerd/work"
DATABASE = "/var/lib/schedulerd/schedulerd.db"
_PYTHON = f"/opt/python/bin/python3.{sys.version_info.minor}"
# Nothing is written, and nothing said while the service is being started.
_LOOK = """
import sqlite3, sys
file, query, name = sys.argv[1:]
for (value,) in sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30).execute(query, (name,)):
    print(value)
"""
_FLOW = "SELECT name FROM flows WHERE name = ? AND removed_at IS NULL"
_STATE = "SELECT runs.state FROM runs JOIN flows ON flows.id = flow_id WHERE flows.name = ? ORDER BY runs.id DESC LIMIT 1"

LONG = """
from pathlib import Path
from threading import Event

from schedulerd import flow

@flow
def {name}():
    note("began")
    while not Path("{name}.go").exists():
        Event().wait(0.05)
    note("ended")

def note(what):
    with open("{name}.notes", "a") as notes:
        notes.write(what + "\\n")
"""

PROBE = """
import json, os, subprocess, tempfile
from pathlib import Path

from schedulerd import flow

def can(action):
    try:
        return bool(action()) or True
    except OSError as error:
        return error.strerror

def own_cgroup():
    place = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    top = next(p for p in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if Path(p, "cgroup.procs").exists())
    return Path(top + place.removeprefix("0::"))

def make_cgroup():
    (own_cgroup() / "probe").mkdir()
    (own_cgroup() / "probe").rmdir()

@flow
def probe():
    status = dict(line.split(":\\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\\t" in line)
    Path("seen.json").write_text(json.dumps({
        "folder": os.getcwd(),
        "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
        "no new privileges": status["NoNewPrivs"],
        "temporary files": can(lambda: tempfile.mkstemp()),
        "boot id": can(lambda: Path("/proc/sys/kernel/random/boot_id").read_text()),
        "polite command": subprocess.run(["nice", "ionice", "-c3", "true"]).returncode,
        "own cgroup": can(make_cgroup),
        "write flows": can(lambda: Path("/etc/schedulerd/flows/mine.py").write_text("")),
        "write programs": can(lambda: Path("/usr/local/bin/mine").write_text("")),
        "homes": can(lambda: os.listdir("/root")),
        "refused call": can(lambda: os.chroot("/")),
    }))
"""


class Machine:
    """A machine with the program installed, and the service on it."""

    def __init__(self, systemd: SystemdNamespace) -> None:
        self.run = systemd.run
        self.attempt = systemd.attempt
        self.write = systemd.write

    def ask(self, *words: str, user: str | None = None) -> Any:
        """What the command line answers, as JSON."""
        return json.loads(self.run(PROGRAM, *words, "-o", "json", user=user))

    def drop(self, name: str, code: str) -> None:
        """Put a flow file into the folder, and wait until its flow is in force."""
        self.write(f"{FLOWS}/{name}.py", code)
        eventually(lambda: self._look_up(_FLOW, name), within=10, every=_PAUSE_SECONDS)

    def state_of(self, flow: str) -> str:
        """The state of the last run of a flow."""
        return str(self.ask("runs", "list", "--flow", flow)[0]["state"])

    def wait_for_state(self, flow: str, state: str) -> None:
        """Wait until the last run of a flow is in this state."""
        eventually(lambda: self._look_up(_STATE, flow) == [state], within=10, every=_PAUSE_SECONDS)

    def _look_up(self, query: str, name: str) -> list[str]:
        """What the database has, while the service runs: a look by the program itself costs ten times as much."""
        said = self.attempt(_PYTHON, "-IS", "-c", _LOOK, DATABASE, query, name).stdout
        return said.split()

    def property(self, name: str) -> str:
        """What systemd knows of the service."""
        return self.run("systemctl", "show", "schedulerd", "-P", name)

    def journal(self) -> str:
        """The service's journal, all of it."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "-u", "schedulerd", "-o", "short", "--no-pager")

    def notes(self, flow: str) -> list[str]:
        """What a `LONG` flow has noted."""
        return self.attempt("cat", f"{WORK}/{flow}.notes").stdout.split()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Machine]:
    """A machine on which `schedulerd systemd install` was run; the service is enabled and does not run."""
    reason = why_not()
    if reason is not None:
        missing("systemd", reason)
    show = {
        Path("/opt/python"): Path(sys.base_prefix),
        Path("/opt/packages"): Path(sysconfig.get_path("purelib")),
        Path("/opt/wheel"): wheel,
    }
    namespace = SystemdNamespace(tmp_path_factory.mktemp("systemd"), show=show)
    try:
        namespace.__enter__()
    except CannotStart as error:
        missing("systemd", str(error))
    try:
        _install_program(namespace)
        namespace.run(PROGRAM, "systemd", "install")
        yield Machine(namespace)
    finally:
        namespace.__exit__()


def _install_program(machine: SystemdNamespace) -> None:
    """As a person would with pip, but offline: what it depends on is seen in the packages of the test's own Python."""
    machine.write(
        "/etc/ld.so.conf.d/python.conf", "/opt/python/lib\n"
    )  # for a Python with a library of its own
    machine.run("ldconfig")
    machine.run(_PYTHON, "-m", "venv", "--without-pip", "/opt/schedulerd")
    site = f"/opt/schedulerd/lib/python3.{sys.version_info.minor}/site-packages"
    machine.write(f"{site}/dependencies.pth", "/opt/packages\n")
    wheel = machine.run("find", "/opt/wheel", "-name", "*.whl")
    machine.run(
        "/opt/schedulerd/bin/python",
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-deps",
        "--ignore-installed",
        wheel,
    )


@pytest.fixture
def service(machine: Machine) -> Machine:
    """The same, with the service running."""
    machine.run("systemctl", "start", "schedulerd")
    return machine


def test_the_unit_is_valid_as_shipped_and_as_installed(machine: Machine) -> None:
    for unit in (
        "/etc/systemd/system/schedulerd.service",
        "/opt/schedulerd/lib/python3*/site-packages/schedulerd/data",
    ):
        path = machine.run("sh", "-c", f"find {unit} -name schedulerd.service")

        assert machine.run("systemd-analyze", "verify", "--man=no", path) == ""


def test_the_unit_is_no_more_exposed_than_it_says(machine: Machine) -> None:
    found = machine.run(
        "systemd-analyze", "security", "--offline=yes", "--no-pager", "/etc/systemd/system/schedulerd.service"
    )
    exposure = re.search(r"exposure level for schedulerd.service: ([\d.]+)", found)

    assert exposure is not None
    assert float(exposure[1]) <= HIGHEST_EXPOSURE
    assert f"an exposure of {exposure[1]} " in UNIT_FILE.read_text()


def test_start_returns_when_the_service_is_ready(machine: Machine) -> None:
    machine.run("systemctl", "restart", "schedulerd")

    status = machine.ask("status")
    assert status["pid"] == int(machine.property("MainPID"))
    assert machine.property("ActiveState") == "active"
    assert re.match(r"\d+ running", machine.property("StatusText"))
    assert machine.run("ps", "-o", "user=", "-p", str(status["pid"])) == "schedulerd"
    assert machine.run("systemctl", "is-enabled", "schedulerd") == "enabled"


def test_a_dropped_flow_runs_and_the_journal_tells_of_the_service(service: Machine) -> None:
    service.drop("hello", "from schedulerd import flow\n\n@flow\ndef hello():\n    print('good morning')\n")

    service.run(PROGRAM, "run", "hello", "--wait")

    assert service.state_of("hello") == "completed"
    assert "good morning" in [line["message"] for line in service.ask("logs", "@last:hello")]
    journal = service.journal()
    assert re.search(r"schedulerd\[\d+\]: started version=", journal)
    assert re.search(r"schedulerd\[\d+\]: ready web=http://127.0.0.1:8080", journal)
    assert "<6>" not in journal  # the priority of a line is the journal's, not part of the text


def test_a_run_has_what_it_needs_and_no_more(service: Machine) -> None:
    service.drop("probe", PROBE)

    service.run(PROGRAM, "run", "probe", "--wait")

    assert json.loads(service.run("cat", f"{WORK}/seen.json")) == {
        "folder": WORK,
        "capabilities": 0,
        "no new privileges": "1",
        "temporary files": True,
        "boot id": True,
        "polite command": 0,
        "own cgroup": True,
        "write flows": "Permission denied",
        "write programs": "Read-only file system",
        "homes": "Permission denied",
        "refused call": "Operation not permitted",
    }


def test_reload_is_told_and_ends_nothing(service: Machine) -> None:
    before = service.property("MainPID")

    service.run("systemctl", "reload", "schedulerd")

    assert service.property("ReloadResult") == "success"
    assert (service.property("MainPID"), service.property("ActiveState")) == (before, "active")


def test_runs_live_over_a_restart_and_end_once(service: Machine) -> None:
    service.drop("lasting", LONG.format(name="lasting"))
    service.run(PROGRAM, "run", "lasting")
    eventually(lambda: service.notes("lasting") == ["began"])

    service.run("systemctl", "restart", "schedulerd")
    eventually(lambda: "run_adopted run=lasting#1" in service.journal())
    service.wait_for_state("lasting", "running")  # its beginning may be read after it was adopted
    service.run("touch", f"{WORK}/lasting.go")

    service.wait_for_state("lasting", "completed")
    assert service.notes("lasting") == ["began", "ended"]
    assert len(service.ask("runs", "list", "--flow", "lasting")) == 1


def test_a_core_that_hangs_is_replaced_by_the_watchdog_and_its_runs_go_on(
    service: Machine, record_property: Callable[[str, object], None]
) -> None:
    service.write(
        "/run/systemd/system/schedulerd.service.d/test.conf", f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}s\n"
    )
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "schedulerd")
    service.drop("patient", LONG.format(name="patient"))
    service.run(PROGRAM, "run", "patient")
    eventually(lambda: service.notes("patient") == ["began"])
    hung = service.property("MainPID")

    began = time.monotonic()
    _hang_the_core(service)

    eventually(lambda: service.property("MainPID") not in (hung, "0"), within=WATCHDOG_SECONDS + 1)
    eventually(lambda: service.property("ActiveState") == "active", within=5)
    figures = " and ".join(f"{moment - began:.2f} s ({what})" for what, moment in _moments(service).items())
    record_property("figures", f"WatchdogSec {WATCHDOG_SECONDS:g} s, hung at 0 s: {figures}")
    assert _moments(service)["started again"] - began <= WATCHDOG_SECONDS + 1 * SLOWER
    journal = service.journal()
    assert "Watchdog timeout" in journal
    assert "Fatal Python error: Aborted" in journal  # with the tracebacks of its threads
    service.run("touch", f"{WORK}/patient.go")
    service.wait_for_state("patient", "completed")
    assert service.notes("patient") == ["began", "ended"]


def _moments(service: Machine) -> dict[str, float]:
    """When the daemon that is there was started, and was ready, by the clock of `time.monotonic`."""
    names = {"started again": "ExecMainStartTimestampMonotonic", "ready": "ActiveEnterTimestampMonotonic"}
    return {what: int(service.property(name)) / 1e6 for what, name in names.items()}


def _hang_the_core(service: Machine) -> None:
    """Only the core's thread: it opens a pipe in which nobody writes, where it looks how it is to stop."""
    order = "/var/lib/schedulerd/stop.json"
    service.run("mkfifo", "--mode=644", order)
    service.run("systemctl", "kill", "--kill-whom=main", "--signal=TERM", "schedulerd")
    service.run("rm", order)  # for the next daemon; the open of this one goes on waiting


def test_after_a_stop_a_member_of_the_group_reads_the_history_and_the_next_daemon_goes_on(
    service: Machine,
) -> None:
    service.run("useradd", "--groups", "schedulerd", "anna", check=False)
    service.drop("past", "from schedulerd import flow\n\n@flow\ndef past():\n    pass\n")
    service.run(PROGRAM, "run", "past", "--wait", user="anna")

    service.run("systemctl", "stop", "schedulerd")

    assert (service.property("ActiveState"), service.property("Result")) == ("inactive", "success")
    assert [run["state"] for run in service.ask("runs", "list", "--flow", "past", user="anna")] == [
        "completed"
    ]
    service.run("systemctl", "start", "schedulerd")
    service.run(PROGRAM, "run", "past", "--wait")


def test_our_own_stop_is_obeyed_and_not_answered_by_a_restart(service: Machine) -> None:
    service.drop("endless", LONG.format(name="endless"))
    service.run(PROGRAM, "run", "endless")
    eventually(lambda: service.notes("endless") == ["began"])

    service.run(PROGRAM, "stop", "--now")

    eventually(lambda: service.property("ActiveState") == "inactive")
    assert service.property("Result") == "success"
    assert service.state_of("endless") == "cancelled"


def test_installing_again_keeps_what_is_there(machine: Machine) -> None:
    machine.run("sh", "-c", "echo '# mine' >> /etc/schedulerd/schedulerd.toml")
    digest = "find /etc/schedulerd /etc/systemd/system /etc/sysusers.d /etc/passwd -type f | sort | xargs sha256sum"
    before = machine.run("sh", "-c", digest)

    said = machine.attempt(PROGRAM, "systemd", "install").stderr

    assert machine.run("sh", "-c", digest) == before
    assert "keep   /etc/schedulerd/schedulerd.toml (settings that are there are never overwritten)" in said
    assert "write" not in said


def test_uninstalling_ends_the_service_leaves_the_data_and_says_so(service: Machine) -> None:
    said = service.attempt(PROGRAM, "systemd", "uninstall").stderr

    try:
        assert "keep   /var/lib/schedulerd (to remove it: rm -r /var/lib/schedulerd)" in said
        assert (service.property("LoadState"), service.property("ActiveState")) == ("not-found", "inactive")
        assert service.run("ls", "/etc/schedulerd/schedulerd.toml", "/var/lib/schedulerd/schedulerd.db")
    finally:
        service.run(PROGRAM, "systemd", "install")


def test_a_dry_run_shows_the_plan_and_changes_nothing(machine: Machine) -> None:
    machine.run("rm", "-rf", "/root/.config/schedulerd", "/root/.config/systemd")

    plan = machine.run(PROGRAM, "systemd", "install", "--user", "--dry-run")

    assert "make   /root/.config/schedulerd/flows/ (0700)" in plan
    assert "write  /root/.config/systemd/user/schedulerd.service (0644)" in plan
    assert f"       | ExecStart={PROGRAM} start" in plan
    assert "run    systemctl --user enable schedulerd.service" in plan
    assert machine.attempt("test", "-e", "/root/.config/schedulerd").returncode != 0


def test_others_than_root_are_told_what_to_do(machine: Machine) -> None:
    machine.run("useradd", "--groups", "schedulerd", "anna", check=False)

    refused = machine.attempt(
        "setpriv", "--reuid=anna", "--regid=anna", "--init-groups", PROGRAM, "systemd", "install"
    )

    assert refused.returncode == 4
    assert "sudo schedulerd systemd install" in refused.stderr


# -- what a run left behind -------------------------------------------------------------------------------------------

HAUNTED = """
import signal, subprocess
from pathlib import Path
from threading import Event

from schedulerd import flow

@flow
def {name}():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.run(["sh", "-c", {ghost!r}], check=True)
    while not Path("{name}.go").exists():
        Event().wait(0.05)
"""
GRACE_SECONDS = 2


@pytest.fixture
def hurried(machine: Machine) -> Iterator[Machine]:
    """The service, with little patience for what is to end."""
    machine.write("/etc/schedulerd/environment", f"SCHEDULERD_GRACE={GRACE_SECONDS}s\n")
    machine.run("systemctl", "restart", "schedulerd")
    try:
        yield machine
    finally:
        machine.run("rm", "/etc/schedulerd/environment")
        machine.run("systemctl", "restart", "schedulerd")


def _haunt(service: Machine, name: str) -> str:
    """Start a run with a ghost; the pid of that."""
    pid = f"{WORK}/{name}.pid"
    command = deaf_ghost(Path(pid), python="/opt/schedulerd/bin/python")
    service.drop(name, HAUNTED.format(name=name, ghost=command))
    service.run(PROGRAM, "run", name)
    eventually(lambda: service.attempt("test", "-s", pid).returncode == 0, within=10, every=_PAUSE_SECONDS)
    return service.run("cat", pid)


def _lives(service: Machine, pid: str) -> bool:
    return service.attempt("test", "-e", f"/proc/{pid}").returncode == 0


def _spawner(service: Machine) -> str:
    return str(service.ask("status")["agents"][0]["status"]["spawner"])


def test_runs_have_cgroups_and_status_and_journal_say_where(service: Machine) -> None:
    where = service.ask("status")["agents"][0]["status"]["run_cgroups"]

    assert where.endswith("/system.slice/schedulerd.service/runs")
    assert f"run_cgroups below={where}" in service.journal()


@pytest.mark.timeout(600)
def test_a_ghost_that_a_run_left_is_ended_and_nothing_of_its_cgroup_stays(hurried: Machine) -> None:
    ghost = _haunt(hurried, "ends")
    assert _lives(hurried, ghost)

    hurried.run("touch", f"{WORK}/ends.go")

    hurried.wait_for_state("ends", "completed")
    assert not _lives(hurried, ghost)
    said = [line["message"] for line in hurried.ask("logs", "@last:ends")]
    assert "the run left 1 process(es) or group(s) behind; they were ended" in said
    cgroups = hurried.ask("status")["agents"][0]["status"]["run_cgroups"]
    # what is there is of processes that wait to become runs
    eventually(
        lambda: hurried.run("sh", "-c", f"grep -l 'populated 0' {cgroups}/*/cgroup.events || true") == "",
        within=10,
        every=_PAUSE_SECONDS,
    )


@pytest.mark.timeout(600)
def test_a_ghost_is_ended_with_a_run_that_is_cancelled(hurried: Machine) -> None:
    ghost = _haunt(hurried, "cancelled")

    hurried.run(PROGRAM, "runs", "cancel", "@last:cancelled")

    hurried.wait_for_state("cancelled", "cancelled")  # once nothing of it is left
    assert not _lives(hurried, ghost)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["later", "meanwhile"])
def test_a_ghost_is_ended_though_daemon_and_spawner_were_killed(hurried: Machine, name: str) -> None:
    ghost = _haunt(hurried, name)
    daemon = hurried.property("MainPID")

    hurried.run("kill", "-KILL", daemon, _spawner(hurried))
    if name == "meanwhile":
        hurried.run("touch", f"{WORK}/{name}.go")
    eventually(lambda: hurried.property("MainPID") not in (daemon, "0"), within=20, every=_PAUSE_SECONDS)
    eventually(lambda: hurried.property("ActiveState") == "active", within=20, every=_PAUSE_SECONDS)
    assert _lives(hurried, ghost) or name == "meanwhile"
    hurried.run("touch", f"{WORK}/{name}.go")

    hurried.wait_for_state(name, "completed")
    assert not _lives(hurried, ghost)


AS_NOBODY = """
import os
from schedulerd import flow

@flow(user="nobody", directory="/tmp")
def somebody():
    if os.getresuid() != (65534,) * 3 or os.getgroups() == [0]:
        raise ValueError(f"{os.getresuid()} {os.getgroups()}")
"""


@pytest.mark.timeout(600)
def test_the_drop_in_of_the_docs_lets_runs_be_other_users(service: Machine) -> None:
    page = (CHECKOUT / "docs" / "howto" / "systemd.md").read_text()
    drop_in = next(block for block in page.split("```ini\n")[1:] if "CAP_SETUID" in block).partition("```")[0]
    service.run("mkdir", "-p", _DROP_INS)
    service.write(f"{_DROP_INS}/users.conf", drop_in)
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "schedulerd")
    try:
        service.drop("somebody", AS_NOBODY)

        service.run(PROGRAM, "run", "somebody", "--wait", check=False)

        assert service.ask("runs", "list", "--flow", "somebody")[0]["reason"] == ""
        assert service.state_of("somebody") == "completed"
    finally:
        service.run("systemctl", "stop", "schedulerd")
        service.run("rm", "-r", _DROP_INS)
        service.run("chown", "-R", "schedulerd:schedulerd", "/var/lib/schedulerd")
        service.run("systemctl", "daemon-reload")
