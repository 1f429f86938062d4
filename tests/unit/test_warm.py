"""What is forked from a process that has loaded the program is as a program of its own."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.waiting import SLOWER, eventually

_TELL = """
import json, os, signal, sys
print(json.dumps({
    "argv": sys.argv[1:],
    "directory": os.getcwd(),
    "variable": os.environ.get("A_VARIABLE"),
    "home": os.environ.get("HOME"),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "child": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
    "mask": os.umask(0),
}))
"""


def _run(folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return warm.run(words, directory=folder, environ={**os.environ, **variables}, timeout=30 * SLOWER)


def test_it_says_and_returns_what_a_program_of_its_own_does(tmp_path: Path) -> None:
    good = _run(tmp_path, "explain", "0 3 * * *", COLUMNS="200")
    bad = _run(tmp_path, "explain", "0 3 * *")

    assert (good.returncode, good.stderr) == (0, "")
    assert "03:00" in good.stdout
    assert bad.returncode != 0
    assert bad.stderr


def test_it_is_in_its_own_folder_with_its_own_variables(tmp_path: Path) -> None:
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "sitecustomize.py").write_text(_TELL)
    (tmp_path / "folder").mkdir()
    for _ in range(2):
        _run(tmp_path, "--version")

    done = _run(
        tmp_path / "folder", "--version", A_VARIABLE="of this call", PYTHONPATH=str(tmp_path / "points")
    )
    told, _, _ = done.stdout.partition("\n")
    after = _run(tmp_path, "--version")

    assert '"variable": "of this call"' in told, done.stderr
    assert f'"directory": "{tmp_path}/folder"' in told
    assert '"descriptors": ["0", "1", "2", "3"]' in told  # the last is of the folder that is listed
    assert '"interrupt": true, "child": true' in told
    assert "A_VARIABLE" not in after.stdout


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
def test_its_end_by_a_signal_is_told(tmp_path: Path, sign: signal.Signals) -> None:
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "sitecustomize.py").write_text(
        "print('here', flush=True); import time; time.sleep(600)"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "points")}
    with open(tmp_path / "said", "w+b") as said:
        called = warm.start(["--version"], directory=tmp_path, environ=environ, stdout=said, stderr=said)
    eventually(lambda: "here" in (tmp_path / "said").read_text(), within=20)

    assert called.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        called.wait(0.01)
    called.send_signal(sign)

    assert called.wait(20 * SLOWER) != 0
    assert not Path(f"/proc/{called.pid}").exists()


def test_two_that_are_called_at_once_know_nothing_of_each_other(tmp_path: Path) -> None:
    with open(tmp_path / "one", "w+b") as one, open(tmp_path / "other", "w+b") as other:
        calls = [
            warm.start(["explain", text], directory=tmp_path, environ=os.environ, stdout=file, stderr=file)
            for text, file in (("0 3 * * *", one), ("0 4 * * *", other))
        ]
        assert [call.wait(30 * SLOWER) for call in calls] == [0, 0]

    assert "03:00" in (tmp_path / "one").read_text()
    assert "04:00" in (tmp_path / "other").read_text()


def test_what_is_read_when_a_process_starts_keeps_it_from_being_forked_until_it_is_asked_for_again(
    tmp_path: Path,
) -> None:
    environ = {**os.environ, "LD_PRELOAD": f"{tmp_path}/none.so"}

    assert warm.can_be_forked(os.environ)
    assert not warm.can_be_forked(environ)
    assert warm.can_be_forked(environ)
