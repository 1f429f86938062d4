"""Looking into a flow file for somebody who asks: in a process of its own, since its code may do anything.

The daemon has its files inspected by the spawner; this is for `validate` and the like, which need no daemon.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.engine.inspection import describe_kill, look, read_answer, understand
from schedulerd.engine.keeper import stand_between
from schedulerd.engine.processes import die_with_parent

_LAST_WORDS: Final = 4_096


def inspect_file(
    file: Path,
    *,
    roots: Sequence[Path],
    timeout: timedelta,
    timezone: str,
    pools: Collection[str] | None = None,
) -> FileDefinition | Failure:
    """What the flow file defines, or why it cannot be taken. `roots` are the folders whose modules count as its own.

    `pools` are those that there are, None where that does not matter.
    """
    with TemporaryDirectory(prefix="schedulerd-") as folder:
        answer, output = Path(folder) / "answer.json", Path(folder) / "output"
        ended = _look_apart(file, roots, answer=answer, output=output, timeout=timeout)
        found = read_answer(answer)
        if found is None:
            last_words = output.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")
            return Failure(type="LoadError", message=ended, file=str(file), traceback=last_words)
    return understand(str(file), found, timezone=timezone, pools=pools)


def _look_apart(file: Path, roots: Sequence[Path], *, answer: Path, output: Path, timeout: timedelta) -> str:
    """Have a child look at the file; how the child ended, in words for one that left no answer."""
    told = [str(os.getpid()), str(file), str(answer), *map(str, roots)]
    command = [sys.executable, "-P", "-m", __name__, *told]
    with open(output, "wb") as said:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    try:
        status = child.wait(timeout.total_seconds())
    except subprocess.TimeoutExpired:
        return f"loading the file took longer than {timeout.total_seconds():g} s and was ended"
    finally:
        _end_group(child)
    if status < 0:
        return describe_kill(-status)
    return f"loading the file ended its process with status {status}"


def _end_group(child: "subprocess.Popen[bytes]") -> None:
    """Whatever the file's code left behind goes with it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()


def main(parent: str, file: str, answer: str, *roots: str) -> None:
    """In the child: look at the file, and leave the answer; nobody waits for it when its parent has ended."""
    if not die_with_parent(int(parent)):
        return
    os._exit(stand_between(lambda: _leave_answer(file, Path(answer), [Path(root) for root in roots])))


def _leave_answer(file: str, answer: Path, roots: Sequence[Path]) -> int:
    found = look(file, roots=roots, code=answer.parent / "code")
    draft = answer.with_suffix(".draft")
    draft.write_text(json.dumps(found), "utf-8")
    draft.rename(answer)
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
