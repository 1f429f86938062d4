"""What a run is surrounded by, under the real daemon: variables, directory, limits; and each way in which that fails."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import Stream
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from tests.service import Service, every_pid, process_state
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

TOLD = """
import os, resource
from schedulerd import Flow, flow, task

def tell():
    print("A", os.environ.get("A"), "B", os.environ.get("B"), "KEY", os.environ.get("SCHEDULERD_FLOW"))
    print("in", os.getcwd())
    print("umask", oct(os.umask(0)))
    print("nice", os.getpriority(os.PRIO_PROCESS, 0))
    print("memory", resource.getrlimit(resource.RLIMIT_DATA)[0])
    print("cpu", resource.getrlimit(resource.RLIMIT_CPU)[0])
    print("files", resource.getrlimit(resource.RLIMIT_NOFILE))
"""
OPTIONS = """
environment={"A": "1", "SCHEDULERD_FLOW": "mine"}, env_file="vars", directory="sub", umask="027", nice=3,
memory="300MB", cpu_time="90s", open_files=77,
"""
SHELL = (
    "echo A $A B $B KEY $SCHEDULERD_FLOW; echo in $(pwd); echo umask $(umask); echo nice $(nice); "
    "echo memory $(ulimit -d); echo cpu $(ulimit -t); echo files $(ulimit -Sn) $(ulimit -Hn)"
)
KEYS = """
environment = { A = "1", SCHEDULERD_FLOW = "mine" }
env_file = "vars"
directory = "sub"
umask = "027"
nice = 3
memory = "300MB"
cpu_time = "90s"
open_files = 77
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def command(name: str, line: str, keys: str = "") -> str:
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    return f'[[schedule]]\nname = "{name}"\ncommand = "{quoted}"\ncron = "0 0 1 1 *"\n{keys}\n'


def ran(service: Service, name: str) -> tuple[RunKey, Run]:
    service.wait_for_flow(name)
    key = service.ask_for(name)
    return key, service.wait_for_end(key)


def said(service: Service, key: RunKey, stream: Stream | None = Stream.STDOUT) -> list[str]:
    return [one.line.message for one in service.lines(key) if stream in (None, one.line.stream)]


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_flows_of_both_styles_and_commands_have_what_they_ask_for(service: Service) -> None:
    (service.folder / "sub").mkdir()
    private(service.folder / "vars", "# ours\nA=from the file\nexport B='2  #'\n")
    service.drop(
        "told.py",
        f"{TOLD}\n@flow({OPTIONS})\ndef function():\n    tell()\n"
        f"with Flow('graph', {OPTIONS}) as graph:\n    task(tell)()\n",
    )
    service.schedule("told.toml", command("shell", SHELL, KEYS))
    service.start()

    lines = {name: said(service, ran(service, name)[0]) for name in ("function", "graph", "shell")}

    for name, found in lines.items():
        assert found[0] == f"A 1 B 2  # KEY {name}" or (name, found[0]) == ("shell", "A 1 B 2 # KEY shell")
        assert found[1] == f"in {service.folder}/sub"
        assert found[2] in ("umask 0o27", "umask 0027")
        assert found[3] == "nice 3"
        assert found[4] in ("memory 300000000", f"memory {300_000_000 // 1024}")
        assert found[5] == "cpu 90"
        assert found[6] in ("files (77, 77)", "files 77 77")
    assert service.broken_invariants() == []


def test_what_the_settings_say_holds_for_those_that_say_nothing(tmp_path: Path) -> None:
    settings = '[limits]\nmemory = "200MB"\ncpu_time = "1m"\nopen_files = 99\nnice = 2\ntimeout = "1s"\n'
    service = Service(tmp_path, settings=settings)
    try:
        service.drop("told.py", f"{TOLD}\n@flow\ndef usual():\n    tell()\n")
        service.drop(
            "free.py",
            "import time\n"
            + TOLD
            + "\n@flow(memory='unlimited', cpu_time='unlimited', open_files='unlimited', nice=4, "
            "timeout_seconds='unlimited')\ndef free():\n    tell()\n    time.sleep(1.5)\n",
        )
        service.schedule(
            "slow.toml", command("slow", "sleep 60") + command("own", "sleep 60", 'timeout = "500ms"')
        )
        service.start()

        usual, free = (said(service, ran(service, name)[0])[3:] for name in ("usual", "free"))
        slow, own = (ran(service, name)[1] for name in ("slow", "own"))

        assert usual == ["nice 2", "memory 200000000", "cpu 60", "files (99, 99)"]
        assert free == [
            "nice 4",
            "memory -1",
            "cpu -1",
            f"files {resource.getrlimit(resource.RLIMIT_NOFILE)}",
        ]
        assert [run.state for run in (slow, own)] == [RunState.TIMED_OUT, RunState.TIMED_OUT]
    finally:
        service.close()


FAILING = {
    "no directory": (
        'directory = "nowhere"',
        "cannot work in the directory {0}/nowhere: No such file or directory",
    ),
    "no env_file": ('env_file = "lost"', "`env_file` {0}/lost cannot be read: No such file or directory"),
    "a bad line": ('env_file = "bad"', "`env_file` {0}/bad, line 2: it is not NAME=VALUE"),
    "written by all": (
        'env_file = "open"',
        "`env_file` {0}/open can be written to by others; chmod 600 {0}/open",
    ),
    "no file": ('env_file = "fifo"', "`env_file` {0}/fifo is no file"),
}


@pytest.mark.parametrize("fault", FAILING)
def test_a_run_that_cannot_have_its_surroundings_fails_and_nothing_of_it_runs(
    service: Service, fault: str
) -> None:
    private(service.folder / "bad", "A=1\nsecret-of-mine\n")
    private(service.folder / "open", "A=1\n").chmod(0o602)
    os.mkfifo(service.folder / "fifo")
    keys, reason = FAILING[fault]
    service.schedule("a.toml", command("shell", "echo here", keys))
    service.drop(
        "f.py",
        f"print('loaded')\nfrom schedulerd import flow\n@flow({keys})\ndef python():\n    print('here')\n",
    )
    service.start()

    for name in ("shell", "python"):
        key, run = ran(service, name)

        assert run.state is RunState.FAILED
        assert run.reason.endswith(reason.format(service.folder))
        assert said(service, key, None) == [f"the flow failed: {run.reason}"]
    assert service.broken_invariants() == []


def test_a_file_that_anybody_may_read_is_taken_with_a_warning(service: Service) -> None:
    private(service.folder / "vars", "A=1\n").chmod(0o644)
    service.schedule("a.toml", command("shell", "echo A $A", 'env_file = "vars"'))
    service.start()

    key, run = ran(service, "shell")

    assert run.state is RunState.COMPLETED
    assert said(service, key) == ["A 1"]
    assert "can be read by anybody; if it holds secrets: chmod 600" in said(service, key, Stream.SYSTEM)[0]


def test_a_secret_of_a_file_stands_nowhere_but_in_the_run(service: Service) -> None:
    secret = "canary-4711"
    private(service.folder.parent / "vars", f"TOKEN={secret}\nbroken\n")
    private(service.folder.parent / "good", f"TOKEN={secret}\n")
    keys = 'env_file = "../vars"'
    waits = "import os, time\nfrom schedulerd import flow\n@flow(env_file='../good')\ndef waits():\n"
    waits += "    print(len(os.environ['TOKEN']))\n    while not os.path.exists('go'): time.sleep(0.01)\n"
    service.drop("waits.py", waits)
    service.schedule("a.toml", command("fails", "true", keys))
    service.start()

    ran(service, "fails")
    service.wait_for_flow("waits")
    key = service.ask_for("waits")
    eventually(lambda: said(service, key) == [str(len(secret))])

    assert files_with(service.folder, secret.encode()) == []
    (service.folder / "go").touch()
    service.wait_for_end(key)
    service.stop()
    assert files_with(service.folder, secret.encode()) == []


def files_with(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


def test_what_is_shown_of_variables_is_their_names(service: Service) -> None:
    keys = 'environment = { TOKEN = "canary" }\nmemory = "64MB"\nuser = "root"'
    service.schedule("a.toml", command("shell", "true", keys if os.geteuid() == 0 else keys.splitlines()[0]))
    service.drop(
        "f.py",
        "from schedulerd import flow\n@flow(environment={'TOKEN': 'canary'}, cpu_time=90)\ndef python(): ...\n",
    )
    service.start()
    for name in ("shell", "python"):
        service.wait_for_flow(name)

    shown = [
        service.command(*words).stdout
        for words in (("schedules", "show", "shell"), ("flows", "show", "python"))
    ]
    shapes = [service.cli("schedules", "show", "shell"), service.cli("flows", "show", "python")]

    assert [shape["surroundings"]["environment"] for shape in shapes] == [["TOKEN"], ["TOKEN"]]
    assert shapes[1]["surroundings"]["cpu_time_ms"] == 90_000
    assert "cpu_time     1m30s" in shown[1]
    assert all("TOKEN" in text for text in shown)
    assert "canary" not in f"{shown} {shapes}"


HUNGRY = """
from schedulerd import flow
@flow(memory="100MB")
def python():
    print(len(bytearray(300_000_000)))
"""


def test_a_flow_that_wants_more_memory_than_it_may_have_fails_and_says_so(service: Service) -> None:
    service.drop("hungry.py", HUNGRY)
    service.start()

    _, run = ran(service, "python")

    assert run.state is RunState.FAILED
    assert run.reason == "MemoryError (its memory is limited to 100 MB)"


def test_a_command_that_dies_for_want_of_memory_says_what_it_had(service: Service) -> None:
    service.schedule("a.toml", command("shell", "kill -SEGV $$", 'memory = "100MB"'))
    service.start()

    _, run = ran(service, "shell")

    assert (run.state, run.reason) == (
        RunState.CRASHED,
        "killed by SIGSEGV (its memory is limited to 100 MB)",
    )


BUSY = """
import signal
from schedulerd import flow

@flow(cpu_time="1s")
def python():
    try:
        while True: sum(range(1_000))
    finally:
        print("last words")

@flow(cpu_time="1s")
def deaf():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True: pass
"""


def test_a_run_that_used_up_its_processor_time_is_timed_out(service: Service) -> None:
    service.drop("busy.py", BUSY)
    busy = "while :; do :; done"
    service.schedule(
        "a.toml",
        command("shell", busy, 'cpu_time = "1s"')
        + command("below", f"sh -c '{busy}'; exit $?", 'cpu_time = "1s"'),
    )
    service.start()

    runs = {name: ran(service, name) for name in ("python", "deaf", "shell", "below")}

    for _, run in runs.values():
        assert (run.state, run.reason) == (RunState.TIMED_OUT, "used up its cpu_time of 1s")
    assert said(service, runs["python"][0]) == ["last words"]
    assert service.broken_invariants() == []


def test_a_run_that_opens_too_many_files_fails(service: Service) -> None:
    text = "from schedulerd import flow\n@flow(open_files=32)\ndef python():\n    kept = [open('/dev/null') for _ in range(40)]\n"
    service.drop("files.py", text)
    service.schedule(
        "a.toml",
        command(
            "shell",
            "exec 3</dev/null 33</dev/null || exit 9; echo no",
            'open_files = 32\nenvironment = { SHELL = "/bin/bash" }',
        ),
    )
    service.start()

    assert "Too many open files" in ran(service, "python")[1].reason
    key, run = ran(service, "shell")
    assert run.state is RunState.FAILED
    assert "no" not in said(service, key)


LEAVING = """
import subprocess
from schedulerd import flow
@flow({0})
def python(file: str):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    print(child.pid)
"""


@pytest.mark.parametrize("option", ["", "leave_children=True"])
def test_children_are_left_behind_where_that_is_wanted(service: Service, option: str) -> None:
    line = "sleep 600 >/dev/null 2>&1 & echo $!"
    keys = option.replace("T", "t").replace("=", " = ")
    service.drop("leaving.py", LEAVING.format(option).replace("file: str", ""))
    service.schedule("a.toml", command("shell", line, keys))
    service.start()

    for name in ("python", "shell"):
        key, run = ran(service, name)

        pid = int(said(service, key)[0])
        assert run.state is RunState.COMPLETED
        assert (process_state(pid) in ("S", "R")) is bool(option)
        assert (said(service, key, Stream.SYSTEM) == []) is bool(option)
        if option:
            os.kill(pid, 9)
    eventually(lambda: all("sleep 600" not in name for name in map(str, every_pid())))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ('user = "no-such-user"', "`user`: there is no user 'no-such-user' on this machine"),
        ("nice = 20", "`nice` must be a whole number from -20 to 19"),
        ('memory = "64"', "`memory`: a size is written like 64MB"),
    ],
)
def test_what_can_never_be_had_is_refused_where_it_is_written(
    service: Service, keys: str, reason: str
) -> None:
    service.schedule("a.toml", command("shell", "true", keys))
    service.drop("f.py", f"from schedulerd import flow\n\n@flow({keys})\ndef python(): ...\n")

    checked = service.command("validate")

    assert checked.returncode == 8
    assert f"config/schedules/a.toml:5: {reason}" in checked.stdout
    assert (
        f"flows/f.py:4: flow 'python': {reason}" in checked.stdout
        or f"flows/f.py:3: flow 'python': {reason}" in checked.stdout
    )
