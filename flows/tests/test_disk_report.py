"""The shell job: what the command prints is read; what it exits with counts."""

from pathlib import Path

import schedulerd.testing

DISK = Path(__file__).parents[1] / "disk_report.py"


def test_below_the_limit_nobody_is_warned():
    with schedulerd.testing.history() as seen:
        run = seen.run(DISK, {"limit": 101})

    assert run.state == "completed"
    assert 0 <= run.task("percent_used").result <= 100
    assert run.task("warn").state == "skipped"


def test_above_the_limit_somebody_is(tmp_path):
    with schedulerd.testing.history() as seen:
        run = seen.run(DISK, {"limit": 0, "folder": str(tmp_path)})

    assert run.task("warn").result == "warned"
    assert any(f"the disk of {tmp_path} is" in line for line in run.log)


def test_a_folder_that_is_not_there_fails_the_command_and_what_comes_after_it():
    with schedulerd.testing.history() as seen:
        run = seen.run(DISK, {"folder": "/no'where; echo hacked"})

    assert run.state == "failed"
    assert "exit status 1" in run.task("df").failure.message
    assert run.task("percent_used").state == "upstream_failed"
