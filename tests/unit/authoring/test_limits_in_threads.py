"""What a time limit in a thread leaves behind: nothing, whether its exception was met or taken back."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading, time
from schedulerd.authoring.time_limits import OutOfTime, TimeLimit

def limited():
    for seconds in {sleeps}:
        try:
            with TimeLimit(0.05):
                time.sleep(seconds)
        except OutOfTime:
            pass

thread = threading.Thread(target=limited)
thread.start()
thread.join()
sys.setprofile(lambda *_: None)

def called():
    return 1

for _ in range(100):
    called()
print("done")
"""


@pytest.mark.parametrize("sleeps", ["[0.2]", "[0.05] * 20", "[0.01]"], ids=["over", "about", "not over"])
def test_a_traced_thread_goes_on_after_a_limit_in_another(sleeps: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(sleeps=sleeps)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("done\n", "")
