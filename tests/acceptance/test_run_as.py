"""Runs as another user under a real daemon of root: they are that user, and have nothing of root's."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import Stream
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from tests.requirements import missing
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

NOBODY = "nobody"


@pytest.fixture(autouse=True)
def _as_root() -> None:
    if os.geteuid() != 0:
        missing("root", "only root can run something as another user")


@pytest.fixture
def work() -> Iterator[Path]:
    """A folder that anybody may enter and write to; those of pytest are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="schedulerd-work-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def service(tmp_path: Path, work: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings=f'directory = "{work}"')
    yield service
    service.close()


def python(service: Service, body: str, options: str = 'user="nobody"') -> tuple[RunKey, Run]:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    service.drop("f.py", f"import os\nfrom schedulerd import flow\n@flow({options})\ndef python():\n{lines}")
    service.start(environ={"SECRET_OF_ROOT": "canary", "LC_TIME": "C", "PATH": os.environ["PATH"]})
    return ran(service, "python")


def shell(service: Service, line: str, keys: str = 'user = "nobody"') -> tuple[RunKey, Run]:
    text = f"[[schedule]]\nname = \"shell\"\ncommand = '''{line}'''\ncron = \"0 0 1 1 *\"\n{keys}\n"
    service.schedule("a.toml", text)
    service.start(environ={"SECRET_OF_ROOT": "canary", "LC_TIME": "C"})
    return ran(service, "shell")


def ran(service: Service, name: str) -> tuple[RunKey, Run]:
    service.wait_for_flow(name)
    key = service.ask_for(name)
    return key, service.wait_for_end(key)


def said(service: Service, key: RunKey, *streams: Stream) -> list[str]:
    wanted = streams or (Stream.STDOUT, Stream.STDERR)
    return [one.line.message for one in service.lines(key) if one.line.stream in wanted]


def test_a_flow_is_that_user_with_its_groups_and_makes_files_as_such(service: Service, work: Path) -> None:
    account = pwd.getpwnam(NOBODY)

    key, run = python(
        service,
        """
print(os.getresuid(), os.getresgid(), sorted(os.getgroups()))
print(*(os.environ.get(name) for name in ("HOME", "USER", "LOGNAME", "SHELL", "LC_TIME", "SECRET_OF_ROOT")))
open("made", "w").close()
""",
    )

    ids, variables = said(service, key)
    groups = sorted(os.getgrouplist(NOBODY, account.pw_gid))
    assert run.state is RunState.COMPLETED
    assert ids == f"{(account.pw_uid,) * 3} {(account.pw_gid,) * 3} {groups}"
    assert variables == f"{account.pw_dir} nobody nobody {account.pw_shell} C None"
    assert (work / "made").stat().st_uid == account.pw_uid
    assert service.broken_invariants() == []


def test_a_command_is_that_user_and_may_open_its_own_output_anew(service: Service, work: Path) -> None:
    account = pwd.getpwnam(NOBODY)
    line = "id -u; id -G; echo $HOME $USER $LOGNAME $SHELL $LC_TIME $SECRET_OF_ROOT; cat; echo there >>/dev/stderr; touch made"

    key, run = shell(service, line, 'user = "nobody"\nstdin = "read\\n"')

    assert run.state is RunState.COMPLETED, run.reason
    groups = os.getgrouplist(NOBODY, account.pw_gid)
    out = said(service, key, Stream.STDOUT)
    assert out[0] == str(account.pw_uid)
    assert sorted(map(int, out[1].split())) == sorted(groups)
    assert out[2:] == [f"{account.pw_dir} nobody nobody /bin/sh C", "read"]
    assert said(service, key, Stream.STDERR) == ["there"]
    assert (work / "made").stat().st_uid == account.pw_uid


ATTACKS = """
import ctypes
def tried(name, attempt):
    try:
        print(name, attempt())
    except OSError as error:
        print(name, type(error).__name__)
state, folder = {state!r}, os.environ["SCHEDULERD_RUN_FOLDER"]
tried("database", lambda: open(state + "/schedulerd.db"))
tried("runs", lambda: os.listdir(state + "/runs"))
tried("own folder", lambda: os.listdir(folder))
tried("exit", lambda: open(folder + "/exit.json", "w"))
tried("request", lambda: open(folder + "/started"))
tried("root again", lambda: os.setuid(0))
tried("environment", lambda: open("/proc/self/environ", "rb"))
start, end = map(int, open("/proc/self/stat").read().rpartition(")")[2].split()[47:49])
print("first environment", len(ctypes.string_at(start, end - start)) > 100, b"canary" in ctypes.string_at(start, end - start))
tried("parent", lambda: os.kill(os.getppid(), 0))
for number in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        print("open", number, os.readlink(f"/proc/self/fd/{{number}}"))
    except FileNotFoundError:
        pass
for number in range(3, 64):
    tried("through", lambda: open("exit.json", "w", opener=lambda p, f: os.open(p, f, dir_fd=number)))
"""


def test_a_flow_can_reach_nothing_of_roots(service: Service) -> None:
    key, run = python(service, ATTACKS.format(state=str(service.state)))

    assert run.state is RunState.COMPLETED, run.reason
    lines = said(service, key)
    assert lines[:9] == [
        "database PermissionError",
        "runs PermissionError",
        "own folder PermissionError",
        "exit PermissionError",
        "request PermissionError",
        "root again PermissionError",
        "environment PermissionError",
        "first environment True False",
        "parent PermissionError",
    ]
    opened = [line.split(" ", 2)[2] for line in lines if line.startswith("open ")]
    folder = f"{service.state}/runs/{run.folder}"
    assert sorted(one for one in opened if not one.startswith(("socket:", "/proc/"))) == [
        "/dev/null",
        f"{folder}/inbox.jsonl",
        f"{folder}/journal.jsonl",
        f"{folder}/reserve",
        f"{folder}/stderr.log",
        f"{folder}/stdout.log",
    ]
    # the bell, and the door at which it is answered
    assert len([one for one in opened if one.startswith("socket:")]) <= 2
    assert {line for line in lines if line.startswith("through")} <= {
        "through OSError",
        "through NotADirectoryError",
    }


def test_a_flow_imports_its_neighbours_from_what_root_has_kept(service: Service) -> None:
    service.drop("_beside.py", "WORD = 'beside'\n")
    service.drop(
        "f.py",
        "import _beside\nfrom schedulerd import flow\n@flow(user='nobody')\ndef python():\n    print(_beside.WORD)\n",
    )
    service.start()

    key, run = ran(service, "python")

    assert (run.state, said(service, key)) == (RunState.COMPLETED, ["beside"])


def test_variables_are_read_from_a_file_that_only_root_can_read(service: Service, work: Path) -> None:
    secrets = service.folder / "secrets"
    secrets.write_text("TOKEN=4711\nHOME=/\n")
    secrets.chmod(0o600)

    key, run = shell(
        service, "echo $TOKEN $HOME; cat " + str(secrets), f'user = "nobody"\nenv_file = "{secrets}"'
    )

    assert run.state is RunState.FAILED
    assert said(service, key, Stream.STDOUT) == ["4711 /"]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONPATH"])
def test_variables_that_load_code_are_refused(service: Service, work: Path, name: str) -> None:
    secrets = work / "vars"
    secrets.write_text(f"{name}=/tmp/evil\n")
    secrets.chmod(0o600)

    key, run = shell(service, "echo here", f'user = "nobody"\nenv_file = "{secrets}"')

    assert run.state is RunState.FAILED
    assert run.reason.startswith(f"`env_file` {secrets}: {name} says which code is loaded, and is refused")
    assert said(service, key) == []
    service.schedule(
        "a.toml",
        f'[[schedule]]\nname = "x"\ncommand = "true"\nevery = "1h"\nuser = "nobody"\nenvironment = {{ {name} = "/tmp" }}\n',
    )
    assert f"a.toml:6: `environment`: {name} says which code is loaded" in service.command("validate").stdout


def test_the_own_user_may_have_them(service: Service) -> None:
    key, _ = shell(service, "echo $PYTHONPATH", 'user = "root"\nenvironment = { PYTHONPATH = "/srv" }')

    assert said(service, key) == ["/srv"]


def test_a_folder_that_the_user_cannot_enter_is_told(service: Service) -> None:
    key, run = shell(service, "echo here", f'user = "nobody"\ndirectory = "{service.folder}"')

    assert run.state is RunState.FAILED
    assert run.reason == f"nobody cannot work in the directory {service.folder}: Permission denied"
    assert said(service, key) == []


def test_limits_hold_for_another_user_and_it_can_be_nicer_than_others(service: Service) -> None:
    keys = 'user = "nobody"\nnice = -5\nopen_files = 64\ncpu_time = "1m"'

    key, _ = shell(service, "nice; ulimit -n; ulimit -t", keys)

    assert said(service, key) == ["-5", "64", "60"]


@pytest.mark.parametrize("ignoring", ["", "trap '' TERM; "])
def test_a_run_of_another_user_can_be_cancelled(service: Service, ignoring: str) -> None:
    service.schedule(
        "a.toml",
        f"[[schedule]]\nname = \"shell\"\ncommand = '''{ignoring}echo up; while :; do sleep 1; done'''\nevery = \"9d\"\nuser = \"nobody\"\n",
    )
    service.start()
    service.wait_for_flow("shell")
    key = service.ask_for("shell")
    eventually(lambda: said(service, key) == ["up"])

    service.cli("runs", "cancel", "shell#1", "--reason", "enough")

    assert service.wait_for_end(key).state is RunState.CANCELLED
    eventually(lambda: processes_of(service) == [])


@pytest.mark.parametrize("kind", ["python", "shell"])
def test_a_run_of_another_user_outlives_the_daemon_and_ends_right(
    service: Service, work: Path, kind: str
) -> None:
    service.drop(
        "f.py",
        "import os, time\nfrom schedulerd import flow\n@flow(user='nobody')\ndef python():\n    print('up')\n"
        "    while not os.path.exists('go'): time.sleep(0.02)\n    print('done')\n",
    )
    line = "echo up; until [ -e go ]; do sleep 0.05; done; echo done"
    service.schedule(
        "a.toml", f'[[schedule]]\nname = "shell"\ncommand = "{line}"\nevery = "9d"\nuser = "nobody"\n'
    )
    service.start()
    service.wait_for_flow(kind)
    key = service.ask_for(kind)
    eventually(lambda: said(service, key) == ["up"])

    spawner = service.spawner()
    assert spawner is not None
    service.kill()
    os.kill(spawner, signal.SIGKILL)
    service.start()
    (work / "go").touch()
    run = service.wait_for_end(key)

    assert (run.state, said(service, key)) == (RunState.COMPLETED, ["up", "done"])
    assert service.broken_invariants() == []


def processes_of(service: Service) -> list[str]:
    """The command lines of what runs in a run's folder of this service."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and f"SCHEDULERD_RUN_FOLDER={service.state}".encode() in (entry / "environ").read_bytes()
            ):
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_a_daemon_that_is_not_root_refuses_other_users(tmp_path: Path, work: Path) -> None:
    """Asked of a process that has let go of root: the door is the same one."""
    file = work / "a.toml"
    text = '[[schedule]]\nname = "x"\ncommand = "true"\nevery = "1h"\nuser = "root"\n[[schedule]]\nname = "y"\ncommand = "true"\nevery = "1h"\nnice = -1\n[[schedule]]\nname = "z"\ncommand = "true"\nevery = "1h"\nuser = "nobody"\n'
    file.write_text(text)

    told = _as_nobody(file)

    assert [(line, reason.split(":")[0]) for line, reason in told] == [(5, "`user`"), (10, "`nice`")]
    assert told[0][1].endswith(
        "only a daemon that runs as root can run something as root, and this one runs as nobody"
    )


def _as_nobody(file: Path) -> list[tuple[int, str]]:
    from schedulerd.watch.schedule_files import read_schedule_file

    read_schedule_file(file, timezone="UTC")  # loads what others may not be able to read
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(*(pwd.getpwnam(NOBODY).pw_uid,) * 3)
            found = read_schedule_file(file, timezone="UTC")
            os.write(writing, "\n".join(f"{one.line} {one.reason}" for one in found.errors).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as answer:
        lines = [line.partition(" ") for line in answer.read().splitlines()]
    return [(int(number), reason) for number, _, reason in lines]


def test_a_flow_as_another_user_is_answered_and_given_secrets(service: Service) -> None:
    key, run = python(
        service,
        """
from schedulerd.variables import Variable
from schedulerd.blocks.system import Secret
Variable.set("made", os.getuid())
Secret(value="canary-of-" + "nobody").save("key")
value = Secret.load("key").get()
print("given", value, Variable.get("made"))
""",
    )

    assert run.state is RunState.COMPLETED, run.reason
    assert f"given *** {pwd.getpwnam(NOBODY).pw_uid}" in said(service, key)
    assert [one["name"] for one in service.cli("secrets", "list")] == ["key"]
