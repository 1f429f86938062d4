"""Inspecting flow files through a real spawner: what they define, and that a bad one costs only itself."""

import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Catchup,
    Cron,
    DayMatch,
    Interval,
    Overlap,
    Policies,
    Reboot,
    RRule,
    ScheduleDefinition,
)
from schedulerd.engine.inspection import describe_kill, understand
from schedulerd.engine.notes import read_exit
from tests.engine.scenes import Spawning, read_bytes

FLOW = "from schedulerd import flow\n@flow\ndef etl():\n    print('ran')\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def test_a_file_says_what_it_defines(spawning: Spawning) -> None:
    file = spawning.drop(
        "from schedulerd import flow, task, Flow\n"
        "from schedulerd.schedules import Cron\n"
        "@task\n"
        "def extract(): ...\n"
        "@task\n"
        "def load(rows): ...\n"
        "with Flow('graph', schedule=Cron('0 6 * * *')) as graph:\n"
        "    load(extract())\n"
        "@flow(timeout_seconds=5, tags=['a'])\n"
        "def function(day: int, region: str = 'kr'):\n"
        '    """What it does."""\n'
    )

    found = understand(str(file), spawning.inspect(file), timezone="Asia/Seoul")

    assert isinstance(found, FileDefinition)
    graph, function = found.flows
    assert (graph.name, graph.entrypoint, graph.tasks, graph.edges) == (
        "graph",
        "graph",
        ("extract", "load"),
        ((0, 1),),
    )
    assert [(one.name, one.flow, one.when.timezone) for one in graph.schedules] == [
        ("graph#0", "graph", "Asia/Seoul")
    ]
    assert (function.timeout_seconds, function.tags, function.description) == (5, ("a",), "What it does.")
    assert function.parameters["required"] == ["day"]
    assert found.source == file.read_text()


POOLED = """from schedulerd import Flow, flow
from schedulerd.schedules import Cron

@flow(pool="database", priority=-3, max_running=2, schedule=Cron("0 6 * * *", pool="files", priority=4))
def report(): ...

with Flow("graph", pool="database", priority=1, max_running=1) as graph:
    ...
"""


def test_a_file_says_the_pools_priorities_and_limits_of_its_flows(spawning: Spawning) -> None:
    file = spawning.drop(POOLED)

    found = understand(str(file), spawning.inspect(file), timezone="UTC", pools={"database": 2, "files": 1})

    assert isinstance(found, FileDefinition)
    said = {one.name: (one.pool, one.priority, one.max_running) for one in found.flows}
    assert said == {"report": ("database", -3, 2), "graph": ("database", 1, 1)}
    (schedule,) = found.flows[0].schedules or found.flows[1].schedules
    assert (schedule.pool, schedule.priority) == ("files", 4)


@pytest.mark.parametrize(
    ("pools", "said"),
    [
        (("databases", "files"), "there is no pool 'database'; did you mean 'databases'?"),
        (("database",), "there is no pool 'files'; known are: database"),
        ((), "there is no pool 'database'; define it in schedulerd.toml"),
    ],
)
def test_a_pool_that_is_not_defined_is_the_files_error(
    spawning: Spawning, pools: tuple[str, ...], said: str
) -> None:
    file = spawning.drop(POOLED)

    found = understand(str(file), spawning.inspect(file), timezone="UTC", pools=pools)

    assert isinstance(found, Failure)
    assert said in found.message
    assert "[pools]" in found.message
    assert found.line in (4, 7)


def understood(schedule: str, spawning: Spawning) -> tuple[str, FileDefinition | Failure]:
    """A flow file with these schedules, and what it is understood as."""
    file = spawning.drop(
        "from datetime import *\nfrom schedulerd import flow\nfrom schedulerd.schedules import *\n"
        f"\n@flow(schedule={schedule})\ndef etl(day: int = 1): ...\n"
    )
    return str(file), understand(str(file), spawning.inspect(file), timezone="Asia/Seoul")


def test_schedules_of_a_flow_file_mean_what_the_same_words_mean_in_a_schedule_file(
    spawning: Spawning,
) -> None:
    file, found = understood(
        """[
        Cron("0 6 * * 1", "Europe/Berlin", name="dawn", parameters={"day": 2}, day_or=False, jitter=30,
             start=date(2026, 12, 1), end="2026-12-31", catchup="all", catchup_limit=7,
             catchup_window=timedelta(days=2), misfire_grace=90, overlap="queue", queue_limit=3, active=False,
             blackout=[{"cron": "0 22 * * 5", "duration": timedelta(hours=56)},
                       {"from": datetime(2026, 12, 24, 12), "to": date(2026, 12, 26)},
                       {"dates": [date(2026, 12, 31)]}],
             blackout_action="run-after"),
        Interval(900, anchor=datetime(2026, 1, 1, tzinfo=timezone.utc)),
        RRule("FREQ=DAILY", anchor="2026-01-01T09:00"),
        Cron("@reboot"),
        ]""",
        spawning,
    )

    assert isinstance(found, FileDefinition)
    origin = f"{file}:5"  # where the flow is
    assert found.flows[0].schedules == (
        ScheduleDefinition(
            name="dawn",
            flow="etl",
            when=Cron(expression="0 6 * * 1", timezone="Europe/Berlin", day_match=DayMatch.BOTH),
            parameters={"day": 2},
            policies=Policies(
                catchup=Catchup.ALL,
                catchup_limit=7,
                catchup_window=timedelta(days=2),
                misfire_grace=timedelta(seconds=90),
                overlap=Overlap.QUEUE,
                queue_limit=3,
            ),
            enabled=False,
            origin=origin,
            start=datetime.fromisoformat("2026-12-01T00:00"),
            end=datetime.fromisoformat("2026-12-31T23:59:59.999999"),
            jitter=timedelta(seconds=30),
            blackout=Blackout(
                windows=(BlackoutWindow(expression="0 22 * * 5", duration=timedelta(hours=56)),),
                spans=(
                    BlackoutSpan(
                        start=datetime.fromisoformat("2026-12-24T12:00"),
                        end=datetime.fromisoformat("2026-12-27T00:00"),
                    ),
                ),
                days=(date(2026, 12, 31),),
                action=BlackoutAction.RUN_AFTER,
            ),
        ),
        ScheduleDefinition(
            name="etl#1",
            flow="etl",
            when=Interval(
                every=timedelta(minutes=15),
                timezone="Asia/Seoul",
                anchor=datetime(2026, 1, 1, tzinfo=UTC),
            ),
            origin=origin,
        ),
        ScheduleDefinition(
            name="etl#2",
            flow="etl",
            when=RRule(
                expression="FREQ=DAILY",
                timezone="Asia/Seoul",
                anchor=datetime.fromisoformat("2026-01-01T09:00"),
            ),
            origin=origin,
        ),
        ScheduleDefinition(name="etl#3", flow="etl", when=Reboot(timezone="Asia/Seoul"), origin=origin),
    )


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            "Cron('0 99 * * *')",
            "schedule 'etl#0': `cron`: hour: '99' is not one of 0-23\n0 99 * * *\n  ^^",
        ),
        (
            "[Cron('0 9 * * *'), Interval('15x', name='often')]",
            "schedule 'often': `every`: a duration is written like",
        ),
        ("Interval(0.1)", "schedule 'etl#0': `every`: an interval is at least 1 second"),
        ("Interval(1e300)", "schedule 'etl#0': `every`: a duration is written like"),
        ("Interval(float('nan'))", "schedule 'etl#0': `every`: a duration is written like"),
        ("Interval(timedelta(days=-1))", "schedule 'etl#0': `every` must not be negative"),
        ("Interval(timedelta(days=99999))", "schedule 'etl#0': `every` must not be negative, nor longer"),
        (
            "Interval(None)",
            "schedule 'etl#0': there is none of `cron`, `every`, `at`, `rrule`, `after`, `file` and `webhook`",
        ),
        ("Cron(5)", "schedule 'etl#0': `cron` must be text in quotes"),
        ("Cron('0 6 * * *', name=5)", "schedule 5: `name` must be text in quotes"),
        ("Cron('0 6 * * *', 'Asia/Soul')", "schedule 'etl#0': `timezone`: there is no time zone 'Asia/Soul'"),
        ("Cron('0 6 * * *', catchup='some')", "schedule 'etl#0': `catchup` must be one of latest, all, none"),
        (
            "Cron('@reboot', jitter=3)",
            "schedule 'etl#0': `jitter` means nothing with `@reboot`, which has no due times; take it out",
        ),
        ("RRule('FREQ=DAILY;COUNT=2')", "schedule 'etl#0': `rrule`: COUNT"),
        (
            "Cron('0 6 * * *', blackout=[{'holidays': 'KR'}])",
            "schedule 'etl#0': `blackout`, entry 1: `holidays`: only a schedule file can name it; write this",
        ),
        (
            "Cron('0 6 * * *', blackout=[{'calendar': 'a.ics'}])",
            "schedule 'etl#0': `blackout`, entry 1: `calendar`: only a schedule file can name it",
        ),
        ("Cron('0 6 * * *', blackout=[1])", "schedule 'etl#0': `blackout` must be a list of tables"),
        ("Cron('0 6 * * *', blackout={})", "schedule 'etl#0': `blackout` must be a list of tables"),
    ],
)
def test_a_bad_schedule_is_told_with_its_name_its_key_and_the_line_of_its_flow(
    schedule: str, message: str, spawning: Spawning
) -> None:
    file, found = understood(schedule, spawning)

    assert isinstance(found, Failure)
    assert (found.type, found.file, found.line) == ("BadSchedule", file, 5)
    assert found.message.startswith(message)


@pytest.mark.parametrize("call", ["etl()", "etl.register()", "etl.serve()", "print(etl())"])
def test_a_flow_that_is_called_at_module_level_is_found_and_not_run(spawning: Spawning, call: str) -> None:
    answer = spawning.inspect(spawning.drop(FLOW + call + "\n"))

    assert [flow["name"] for flow in answer["flows"]] == ["etl"]
    assert b"ran" not in read_bytes(spawning.folders.runs / "inspection-1" / "stdout.log")


def test_what_stands_under_main_is_not_run(spawning: Spawning) -> None:
    file = spawning.drop(FLOW + "if __name__ == '__main__':\n    raise SystemExit(3)\n")

    assert "error" not in spawning.inspect(file)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("def broken(:\n", "SyntaxError", 1),
        ("import os\nraise ValueError('no')\n", "ValueError", 2),
        ("import sys\n\nsys.exit(3)\n", "SystemExit", 3),
        ("import no_such_module_here\n", "ModuleNotFoundError", 1),
        ("1 / 0\n", "ZeroDivisionError", 1),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
        ("raise ValueError('\\udcff')\n", "ValueError", 1),
        ("def f(): f()\nf()\n", "RecursionError", 1),
    ],
)
def test_a_file_that_cannot_be_loaded_says_why_and_where(
    spawning: Spawning, text: str, kind: str, line: int
) -> None:
    file = spawning.drop(text)

    error = spawning.inspect(file)["error"]

    assert (error["type"], error["file"], error["line"]) == (kind, str(file), line)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit(3)\n", "loading the file called sys.exit(3)"),
        ("raise MemoryError\n", "MemoryError"),
        ("from prefect import flow\n", "No module named 'prefect'; schedulerd has the names of Prefect"),
        ("from airflow import DAG\n", "No module named 'airflow'; a DAG is a flow here"),
    ],
)
def test_what_says_too_little_of_itself_is_told_in_words(spawning: Spawning, text: str, message: str) -> None:
    assert spawning.inspect(spawning.drop(text))["error"]["message"].startswith(message)


def test_a_file_of_megabytes_is_not_loaded(spawning: Spawning) -> None:
    file = spawning.drop("#" * ((1 << 20) + 1))

    assert "at most 1,048,576" in spawning.inspect(file)["error"]["message"]


@pytest.mark.parametrize("how", ["while True: pass\n", "import time; time.sleep(60)\n"])
def test_a_file_that_takes_too_long_is_ended(spawning: Spawning, how: str) -> None:
    answer = spawning.inspect(spawning.drop(how), timeout_seconds=0.2, grace=0.1)

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert answer == {}
    assert ended is not None
    assert ended.stopped == "timeout"


def test_a_file_that_kills_its_process_kills_nothing_else(spawning: Spawning) -> None:
    answer = spawning.inspect(spawning.drop("import ctypes\nctypes.string_at(0)\n"))

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert answer == {}
    assert ended is not None
    assert ended.signal == signal.SIGSEGV
    assert spawning.command("true").exit.status == 0


@pytest.mark.parametrize("how", ["KILL", "TERM", "INT", "HUP"])
def test_a_file_that_signals_its_parent_ends_its_inspection_and_not_the_spawner(
    spawning: Spawning, how: str
) -> None:
    sign = getattr(signal, f"SIG{how}")
    text = f"import os, signal, time\nos.kill(os.getppid(), {int(sign)})\ntime.sleep(60)\n"

    answer = spawning.inspect(spawning.drop(text + FLOW))

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert answer == {}
    assert ended is not None
    assert (ended.signal, ended.stopped) == (sign, None)
    assert spawning.command("true").exit.status == 0


def test_a_signal_that_ended_an_inspection_is_told_with_what_to_look_for() -> None:
    assert describe_kill(signal.SIGSEGV) == "loading the file killed its process with SIGSEGV"
    assert describe_kill(signal.SIGTERM).endswith(
        "SIGTERM: while it is imported it sends signals (os.kill, os.killpg)"
    )
    assert describe_kill(signal.SIGKILL).endswith("(os.kill, os.killpg), or takes more memory than there is")


def test_what_a_file_prints_is_no_trouble(spawning: Spawning) -> None:
    answer = spawning.inspect(
        spawning.drop("import sys\nprint('x' * 100_000)\nprint('y', file=sys.stderr)\n" + FLOW)
    )

    assert [flow["name"] for flow in answer["flows"]] == ["etl"]


def test_a_thread_that_a_file_starts_holds_up_nothing(spawning: Spawning) -> None:
    text = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + FLOW

    assert "error" not in spawning.inspect(spawning.drop(text))


def test_what_a_file_leaves_behind_is_ended(spawning: Spawning) -> None:
    spawning.inspect(spawning.drop("import subprocess\nsubprocess.Popen(['sleep', '60'])\n" + FLOW))

    ended = read_exit(spawning.folders.runs / "inspection-1")
    assert ended is not None
    assert ended.left >= 1


def test_what_a_file_logs_before_it_ends_its_process_is_on_stderr(spawning: Spawning) -> None:
    file = spawning.drop("import logging, os\nlogging.warning('no such server')\nos._exit(3)\n")

    assert spawning.inspect(file) == {}

    output = spawning.folders.runs / "inspection-1" / "stderr.log"
    assert "no such server" in output.read_text()
