"""Runs of flows and commands in their own processes: what is recorded of them, whatever they do."""

import os
import pwd
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.engine import wire
from tests.engine.scenes import Ran, Spawning, pid_in
from tests.waiting import eventually

HEAD = "import os, sys, logging, subprocess, threading\nfrom schedulerd import flow, task, get_run_logger\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def body(*lines: str) -> str:
    """A flow file whose flow does this."""
    return HEAD + "@flow\ndef etl(**parameters):\n" + "".join(f"    {line}\n" for line in lines or ["pass"])


# -- flows --------------------------------------------------------------------------------------------------------


def test_a_run_is_recorded_from_its_start_to_its_last_word(spawning: Spawning) -> None:
    ran = spawning.flow(HEAD + "@task\ndef load():\n    return 7\n@flow\ndef etl():\n    return load() + 1\n")

    assert [record["k"] for record in ran.records] == ["start", "task", "task", "result", "end"]
    assert [record["s"] for record in ran.of("task")] == ["running", "completed"]
    assert ran.of("result")[0]["v"] == "8"
    assert (ran.end["s"], ran.exit.status) == ("completed", 0)


def test_a_run_gets_its_parameters(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD + "@flow\ndef etl(day: int, region: str = 'kr'):\n    print(day + 1, region)\n",
        parameters={"day": 7, "region": "한국"},
    )

    assert ran.lines() == ["8 한국"]


def test_parameters_that_do_not_fit_fail_the_run(spawning: Spawning) -> None:
    ran = spawning.flow(HEAD + "@flow\ndef etl(day: int): ...\n", parameters={"dya": 7})

    assert ran.end["s"] == "failed"
    assert "dya" in ran.end["m"]


@pytest.mark.parametrize(
    ("line", "state", "status"),
    [
        ("raise ValueError('no')", "failed", 1),
        ("sys.exit(3)", "failed", 1),
        ("sys.exit(0)", "completed", 0),
        ("raise KeyboardInterrupt", "cancelled", 1),
    ],
)
def test_a_run_ends_as_its_code_does(spawning: Spawning, line: str, state: str, status: int) -> None:
    ran = spawning.flow(body(line))

    assert (ran.end["s"], ran.exit.status) == (state, status)


@pytest.mark.parametrize(
    ("line", "status", "number"),
    [
        ("os._exit(5)", 5, None),
        ("os.kill(os.getpid(), 9)", None, signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", None, signal.SIGSEGV),
        ("os.abort()", None, signal.SIGABRT),
    ],
)
def test_a_run_that_goes_down_has_no_last_word_but_an_exit(
    spawning: Spawning, line: str, status: int | None, number: int | None
) -> None:
    ran = spawning.flow(body("print('before')", line))

    assert ran.of("end") == []
    assert ran.lines() == ["before"]
    assert (ran.exit.status, ran.exit.signal) == (status, number)


def test_a_run_that_is_told_to_end_says_that_it_was_cancelled(spawning: Spawning) -> None:
    kept = spawning.keep(body("print(os.getpid(), file=open('pid', 'w'))", "threading.Event().wait()"))
    spawning.start("run.1", **kept)
    pid_in(spawning.work / "pid")

    spawning.link.ask(wire.Stop(key="run.1", why="cancel", grace=10))
    spawning.hear(wire.Ended, "run.1")

    ran = Ran(spawning.folders.runs / "run.1")
    assert (ran.end["s"], ran.exit.stopped) == ("cancelled", "cancel")


def test_threads_and_exit_handlers_of_a_run_are_finished_first(spawning: Spawning) -> None:
    ran = spawning.flow(
        body(
            "import atexit, time",
            "atexit.register(print, 'at exit')",
            "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()",
        )
    )

    assert ran.lines() == ["thread", "at exit"]
    assert [record["k"] for record in ran.records][-1] == "end"


def test_a_process_that_a_flow_forks_has_no_say_in_what_it_comes_to(spawning: Spawning) -> None:
    ran = spawning.flow(body("if os.fork() == 0: return 'child'", "os.wait()", "return 'parent'"))

    assert ran.end["s"] == "completed"
    assert len(ran.of("end")) == 1


def test_runs_have_random_numbers_of_their_own(spawning: Spawning) -> None:
    kept = spawning.keep(
        body("import random, tempfile", "print(random.random())", "print(tempfile.mktemp())")
    )
    said = []
    for number in range(2):
        spawning.start(f"run.{number}", **kept)
        spawning.hear(wire.Ended, f"run.{number}")
        said.append(Ran(spawning.folders.runs / f"run.{number}").lines())

    assert not set(said[0]) & set(said[1])


# -- what a flow prints and logs ----------------------------------------------------------------------------------


def test_print_and_logging_are_lines_with_their_task(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "@task\n"
        + "def load():\n"
        + "    print('from the task')\n"
        + "    logging.getLogger('etl').warning('slow %d', 7)\n"
        + "    get_run_logger().info('told')\n"
        + "@flow\n"
        + "def etl():\n"
        + "    print('from the flow', file=sys.stderr)\n"
        + "    load()\n"
    )

    lines = [(line["m"], line["s"], line["l"], line.get("n")) for line in ran.of("log")]
    assert lines == [
        ("from the flow", "stderr", 20, None),
        ("from the task", "stdout", 20, 1),
        ("slow 7", "logging", 30, 1),
        ("told", "logging", 20, 1),
    ]
    assert ran.of("log")[2]["g"] == "etl"


@pytest.mark.parametrize(
    ("line", "logged"),
    [
        ("print('a\\nb\\n\\nc')", ["a", "b", "", "c"]),
        ("print('no newline', end='')", ["no newline"]),
        ("print('half', end=' '); print('whole')", ["half whole"]),
        ("print('dos\\r')", ["dos"]),
        ("print('nul\\0 and \\udcff')", ["nul\0 and \udcff"]),
        ("sys.stdout.writelines(['x\\n', 'y'])", ["x", "y"]),
        ("print('flushed', flush=True); assert not sys.stdout.isatty()", ["flushed"]),
        ("logging.info('%s %s', 'one')", None),
        ("print()", [""]),
    ],
)
def test_lines_are_as_they_were_written(spawning: Spawning, line: str, logged: list[str] | None) -> None:
    ran = spawning.flow(body(line))

    assert ran.end["s"] == "completed"
    assert logged is None or ran.lines() == logged


def test_a_bad_log_call_does_not_end_the_run(spawning: Spawning) -> None:
    ran = spawning.flow(body("logging.info('%d', 'no number')"))

    assert ran.end["s"] == "completed"
    assert any("Logging error" in line for line in ran.lines("stderr"))


def test_a_very_long_line_is_recorded_in_parts_and_whole(spawning: Spawning) -> None:
    ran = spawning.flow(body("print('가' * 200_000)", "logging.info('나' * 200_000)"))

    assert "".join(ran.lines("stdout")) == "가" * 200_000
    assert "".join(ran.lines("logging")) == "나" * 200_000
    assert max(map(len, ran.lines())) == 65_536


def test_bytes_and_what_subprocesses_write_go_to_the_output_files(spawning: Spawning) -> None:
    ran = spawning.flow(
        body(
            "sys.stdout.buffer.write(b'\\xff\\x00bytes\\n')",
            "subprocess.run(['sh', '-c', 'echo out; echo err >&2'], check=True)",
            "os.write(1, b'raw')",
        )
    )

    assert ran.stdout == b"\xff\x00bytes\nout\nraw"
    assert ran.stderr == b"err\n"


def test_what_a_multiprocessing_child_prints_is_logged(spawning: Spawning) -> None:
    ran = spawning.flow(
        body(
            "import multiprocessing",
            "child = multiprocessing.get_context('fork').Process(target=print, args=('child',))",
            "child.start(); child.join()",
            "assert child.exitcode == 0",
        )
    )

    assert ran.lines() == ["child"]
    assert ran.end["s"] == "completed"


def test_what_threads_print_is_all_there_once(spawning: Spawning) -> None:
    ran = spawning.flow(
        body(
            "def work(name):",
            "    for number in range(500): print(f'{name}:{number}\\n', end='')",
            "threads = [threading.Thread(target=work, args=(name,)) for name in 'abcd']",
            "[thread.start() for thread in threads]",
            "[thread.join() for thread in threads]",
        )
    )

    for name in "abcd":
        own = [line for line in ran.lines() if line.startswith(name)]
        assert own == [f"{name}:{number}" for number in range(500)]


def test_what_threads_print_with_a_print_is_a_line_each(spawning: Spawning) -> None:
    ran = spawning.flow(
        body(
            "sys.setswitchinterval(1e-6)",
            "def work(name):",
            "    for number in range(2000): print(name, number)",
            "threads = [threading.Thread(target=work, args=(name,)) for name in 'abcd']",
            "[thread.start() for thread in threads]",
            "[thread.join() for thread in threads]",
        )
    )

    expected = sorted(f"{name} {number}" for name in "abcd" for number in range(2000))
    is_whole = sorted(ran.lines()) == expected
    assert is_whole


def test_a_script_may_reconfigure_its_output(spawning: Spawning) -> None:
    ran = spawning.flow(
        body("sys.stdout.reconfigure(encoding='utf-8', line_buffering=True)", "print('fine')")
    )

    assert ran.lines() == ["fine"]


# -- commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status", "number"),
    [
        ("true", 0, None),
        ("exit 3", 3, None),
        ("no_such_command_here", 127, None),
        ("/etc/passwd", 126, None),
        ("kill -9 $$", None, 9),
        ("kill -TERM $$", None, 15),
        ("kill -SEGV $$", None, 11),
    ],
)
def test_a_command_ends_as_its_shell_does(
    spawning: Spawning, command: str, status: int | None, number: int | None
) -> None:
    ran = spawning.command(command)

    assert (ran.exit.status, ran.exit.signal) == (status, number)


def test_a_command_works_in_its_folder_with_the_daemons_environment_and_its_own(spawning: Spawning) -> None:
    ran = spawning.command(
        'pwd; echo "$GIVEN_TO_THE_DAEMON $SCHEDULERD_RUN_NUMBER $SCHEDULERD_RUN_FOLDER"',
        environment={"SCHEDULERD_RUN_NUMBER": "7"},
    )

    assert ran.stdout.decode().splitlines() == [str(spawning.work), f"yes 7 {ran.folder}"]


_NAMED_SIGNALS = (
    1 << 31
) - 1  # those above belong to the C library, or were ignored by whoever started the tests


def test_a_command_is_a_session_of_its_own_that_hears_all_signals(spawning: Spawning) -> None:
    ran = spawning.command(
        "cut -d' ' -f1,5,6 /proc/$$/stat; grep -E 'Sig(Blk|Ign)' /proc/self/status; read x; echo $?"
    )

    pid, group, session = ran.stdout.splitlines()[0].split()
    assert pid == group == session
    masks = [int(line.split()[1], 16) for line in ran.stdout.splitlines()[1:3]]
    assert [mask & _NAMED_SIGNALS for mask in masks] == [0, 0]
    assert ran.stdout.splitlines()[3] == b"1"  # there is nothing to read


def test_a_broken_pipe_ends_a_part_of_a_command_in_silence(spawning: Spawning) -> None:
    ran = spawning.command("yes | head -1")

    assert (ran.stdout, ran.stderr, ran.exit.status) == (b"y\n", b"", 0)


def test_a_command_that_finds_no_folder_to_work_in_says_so(spawning: Spawning) -> None:
    ran = spawning.command("touch ran", directory=str(spawning.work / "nowhere"))

    assert ran.end["s"] == "failed"
    assert ran.end["m"].endswith(
        f"cannot work in the directory {spawning.work}/nowhere: No such file or directory"
    )
    assert list(spawning.work.iterdir()) == []


def test_a_run_that_was_given_up_before_it_began_runs_nothing(spawning: Spawning) -> None:
    for number in range(20):
        key = spawning.prepare(f"run.{number}", kind="command", command=f"touch ran.{number}")
        taken = (spawning.folders.runs / key).exists
        spawning.link.ask(wire.Start(key=key))
        given_up = eventually(taken) and spawning.folders.give_up(key)
        spawning.hear(wire.Ended, key)

        assert os.path.exists(spawning.work / f"ran.{number}") != given_up


# -- commands of crontabs -------------------------------------------------------------------------------------------


def test_a_command_reads_what_it_was_given_however_much_it_is(spawning: Spawning) -> None:
    text = "Joe,\n\n한국 100%\n" * 50_000

    ran = spawning.command("head -n 1; wc -l", stdin=text)

    assert ran.stdout.split() == [b"Joe,", b"149999"]


def test_a_command_that_does_not_read_what_it_was_given_ends_all_the_same(spawning: Spawning) -> None:
    assert spawning.command("true", stdin="x" * 1_000_000).exit.status == 0


def test_a_command_finds_its_variables_and_its_own_account(spawning: Spawning) -> None:
    ran = spawning.command(
        'echo "$A|$B|$LOGNAME|$USER|$SHELL|$GIVEN_TO_THE_DAEMON"',
        environment={"A": "1 2", "B": "$A", "SHELL": "/bin/sh"},
    )

    name = pwd.getpwuid(os.getuid()).pw_name
    assert ran.stdout.decode() == f"1 2|$A|{name}|{name}|/bin/sh|yes\n"


def test_a_command_begins_in_its_home_where_it_is_given_one(spawning: Spawning, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()

    assert spawning.command("pwd").stdout.decode() == f"{spawning.work}\n"
    assert spawning.command("pwd", "run.2", home=str(home)).stdout.decode() == f"{home}\n"


def test_a_command_whose_home_is_not_there_says_so(spawning: Spawning) -> None:
    ran = spawning.command("pwd", home="/nowhere")

    assert (ran.exit.status, ran.stdout) == (1, b"")
    assert ran.stderr == b"cannot begin in the folder /nowhere (HOME): No such file or directory\n"


def test_a_command_is_run_by_its_shell(spawning: Spawning, tmp_path: Path) -> None:
    shell = tmp_path / "mine"
    shell.write_text('#!/bin/sh\necho "$0: $@"\n')
    shell.chmod(0o755)

    assert spawning.command("a 'b", shell=str(shell)).stdout.decode() == f"{shell}: -c a 'b\n"


@pytest.mark.parametrize(
    ("shell", "status", "said"),
    [("/nowhere/sh", 127, "No such file or directory"), ("/etc/passwd", 126, "Permission denied")],
)
def test_a_shell_that_cannot_be_is_told(spawning: Spawning, shell: str, status: int, said: str) -> None:
    ran = spawning.command("true", shell=shell)

    assert (ran.exit.status, ran.stderr.decode()) == (status, f"cannot run {shell} (SHELL): {said}\n")


def errors(ran: Ran) -> list[tuple[int | None, str]]:
    """What stands in the log as an error, with the task."""
    return [(record.get("n"), record["m"]) for record in ran.of("log") if record["l"] == 40]


def test_the_log_says_of_each_attempt_of_a_task_and_of_the_flow_why_it_failed(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "@task(retries=1, retry_delay_seconds=0)\ndef load():\n    raise ValueError('no')\n"
        + "@flow\ndef etl():\n    load()\n"
    )

    place = f"({spawning.flows / 'etl.py'}, line 5)"
    assert errors(ran) == [
        (1, f"failed in attempt 1: ValueError: no {place}; retry 1 of 1 in 0 s"),
        (1, f"failed in attempt 2: ValueError: no {place}"),
        (None, f"the flow failed: ValueError: no {place}"),
    ]


def test_the_log_says_so_of_a_graph_too(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "from schedulerd import Flow\n@task\ndef load():\n    raise ValueError('no')\n"
        + "with Flow('etl') as etl:\n    load()\n"
    )

    place = f"({spawning.flows / 'etl.py'}, line 6)"
    (task, of_task), (none, of_flow) = errors(ran)
    assert (task, of_task, none) == (1, f"failed: ValueError: no {place}", None)
    assert of_flow.startswith("the flow failed: ")


def test_the_log_of_a_child_run_says_why_that_failed(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "@flow\ndef etl(deep=False):\n    if deep:\n        raise ValueError('no')\n"
        + "    etl(True, return_state=True)\n    return 1\n"
    )

    assert ran.end["s"] == "completed"
    (said,) = (record for record in ran.of("log") if record["l"] == 40)
    assert said["m"].startswith("the flow failed: ValueError: no")
    assert said["w"] == ran.of("flow")[0]["n"]
