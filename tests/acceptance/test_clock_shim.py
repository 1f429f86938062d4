"""The shim moves the time of day of the processes that are started with it, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.clock import SystemClock
from tests.clock_shim import MovedClock

FAR = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)

# Each line that it reads is a wish to say what it sees; time.time reads clock_gettime, SQLite gettimeofday.
LOOK = """
import datetime, json, sqlite3, sys, threading, time

for _ in sys.stdin:
    began, day = time.monotonic(), time.time()
    threading.Event().wait(0.05)
    (sqlite,) = sqlite3.connect(":memory:").execute("SELECT unixepoch('now')").fetchone()
    seen = {
        "time": day,
        "datetime": datetime.datetime.now(datetime.UTC).timestamp(),
        "sqlite": sqlite,
        "waited": time.monotonic() - began,
        "monotonic": began,
        "boot": time.clock_gettime(time.CLOCK_BOOTTIME),
    }
    print(json.dumps(seen), flush=True)
"""


@pytest.fixture
def process(clock: MovedClock) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", LOOK],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _seen(process: "subprocess.Popen[str]") -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("look\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _is_near(seconds: float, moment: datetime) -> bool:
    return abs(seconds - moment.timestamp()) < 120  # the true time is days away


def test_a_process_sees_the_moved_time_of_day_whatever_it_asks(
    clock: MovedClock, process: "subprocess.Popen[str]"
) -> None:
    clock.set(FAR)

    seen = _seen(process)

    assert all(_is_near(seen[name], FAR) for name in ("time", "datetime", "sqlite"))


def test_a_jump_is_seen_by_a_process_that_runs_already(
    clock: MovedClock, process: "subprocess.Popen[str]"
) -> None:
    clock.set(FAR)
    before = _seen(process)

    clock.jump(timedelta(hours=-4))
    after = _seen(process)

    assert _is_near(after["time"], FAR - timedelta(hours=4))
    assert 0 < after["monotonic"] - before["monotonic"] < 120
    assert 0 < after["boot"] - before["boot"] < 120


def test_a_wait_takes_as_long_as_ever(clock: MovedClock, process: "subprocess.Popen[str]") -> None:
    clock.set(FAR)

    assert 0.05 <= _seen(process)["waited"] < 120


def test_commands_of_a_shell_see_it_too(clock: MovedClock) -> None:
    clock.set(FAR)

    done = subprocess.run(
        ["/bin/sh", "-c", "date +%s"],
        env={**os.environ, **clock.environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert _is_near(int(done.stdout), FAR)


def test_this_process_keeps_the_true_time(clock: MovedClock) -> None:
    before = SystemClock().now()

    clock.jump(timedelta(days=40))

    assert SystemClock().now() - before < timedelta(days=1)
    assert clock.now() - before >= timedelta(days=40)


def test_a_process_that_finds_no_file_ends_with_a_word_of_why(clockshift: Path, tmp_path: Path) -> None:
    clock = MovedClock(clockshift, tmp_path / "clock.shift")
    clock.close()
    (tmp_path / "clock.shift").unlink()

    done = subprocess.run(
        ["/bin/sh", "-c", "date"],
        env={**os.environ, **clock.environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 127
    assert "clockshift:" in done.stderr
