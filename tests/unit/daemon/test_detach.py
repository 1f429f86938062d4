"""Going into the background: what the foreground is told, and what becomes of errors there."""

import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually

PROGRAM = """
import os, sys
from pathlib import Path
from schedulerd.daemon.detach import detached
from schedulerd.errors import PortTaken, SchedulerdError, StoreUnavailable
folder = Path(sys.argv[1])
def serve(announce):
    {body}
    (folder / "served").touch()
    return 0
try:
    print("status", detached(serve, folder))
except SchedulerdError as error:
    print(type(error).__name__, error.message)
"""


def foreground(folder: Path, *body: str) -> str:
    """What the foreground says when the background does this."""
    program = PROGRAM.format(body="\n    ".join(body))
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


def log(folder: Path) -> str:
    return (folder / "daemon.log").read_text()


def test_the_foreground_returns_when_the_background_is_ready(tmp_path: Path) -> None:
    assert foreground(tmp_path, "announce()", "print('to the log', flush=True)") == "status 0"

    eventually((tmp_path / "served").exists)
    assert log(tmp_path) == "to the log\n"


def test_what_kept_it_from_starting_is_raised_in_the_foreground(tmp_path: Path) -> None:
    assert foreground(tmp_path, "raise PortTaken('localhost', 80)").startswith("PortTaken cannot listen on")


def test_an_end_without_a_word_is_told_too(tmp_path: Path) -> None:
    assert "ended before it was ready" in foreground(tmp_path, "os._exit(3)")


def test_an_error_after_it_was_ready_is_written_into_no_other_file(tmp_path: Path) -> None:
    database = tmp_path / "database"
    database.write_text("SQLite format 3")

    foreground(
        tmp_path,
        "announce()",
        "descriptor = os.open(folder / 'database', os.O_RDWR)",
        "(folder / 'opened').touch()",
        "raise StoreUnavailable('gone')",
    )
    eventually(lambda: "gone" in log(tmp_path) or "gone" in database.read_text())

    assert database.read_text() == "SQLite format 3"


def test_an_error_that_nobody_foresaw_is_in_the_log(tmp_path: Path) -> None:
    foreground(tmp_path, "announce()", "raise OSError('nobody foresaw this')")

    assert eventually(lambda: "nobody foresaw this" in log(tmp_path))
