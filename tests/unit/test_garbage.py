"""When garbage is looked for."""

import subprocess
import sys

SCENE = """
import gc
from schedulerd.garbage import look_for_garbage_again, look_for_no_garbage

look_for_no_garbage()
off = gc.isenabled()
kept = [[] for _ in range(100_000)]
look_for_garbage_again()
print(off, gc.isenabled(), gc.get_freeze_count() >= len(kept), len(gc.get_objects()) < len(kept))
"""


def test_none_is_looked_for_while_a_program_loads_and_what_is_there_then_is_left_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCENE], capture_output=True, text=True, check=True, timeout=180
    )

    assert done.stdout.split() == ["False", "True", "True", "True"]
