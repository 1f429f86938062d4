"""A real spawner, started and asked as the core does, over folders of its own."""

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from schedulerd.engine import wire
from schedulerd.engine.folders import ANSWER, RunFolders
from schedulerd.engine.journal import parse
from schedulerd.engine.link import SpawnerLink
from schedulerd.engine.notes import read_exit
from tests.waiting import eventually

PATIENCE = 60.0


class Spawning:
    """A spawner program and the line to it."""

    def __init__(
        self, folder: Path, *, preload: tuple[str, ...] = (), spares: int = 0, state_dir: Path | None = None
    ) -> None:
        self.state_dir = state_dir or folder / "state"
        self.flows = folder / "flows"
        self.work = folder / "work"
        for made in (self.state_dir, self.flows, self.work):
            made.mkdir(exist_ok=True)
        self.folders = RunFolders(self.state_dir)
        self.folders.make()
        self.said: list[wire.Message | None] = []
        self.link = SpawnerLink(
            self.state_dir,
            environ={**os.environ, "GIVEN_TO_THE_DAEMON": "yes"},
            preload=preload,
            spares=spares,
        )

    def __enter__(self) -> Self:
        self.link.start()
        self.hear(wire.Ready)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.link.hang_up()
        assert self.link.pid is not None
        for pid in [*descendants(self.link.pid), self.link.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self.link.wait(PATIENCE)

    # -- asking -------------------------------------------------------------------------------------------------

    def prepare(self, key: str, **request: Any) -> str:
        """Make the folder of an attempt."""
        base = {
            "key": key,
            "state_dir": str(self.state_dir),
            "code": str(self.state_dir / "code"),
            "directory": str(self.work),
            "grace": 0.3,
            "timeout_seconds": None,
            "parameters": {},
        }
        self.folders.prepare(key, base | request)
        return key

    def start(self, key: str, **request: Any) -> str:
        """Prepare and start an attempt, and wait until it was taken."""
        self.prepare(key, **request)
        assert self.link.ask(wire.Start(key=key))
        self.hear(wire.Taken, key)
        return key

    def command(self, command: str, key: str = "run.1", **request: Any) -> "Ran":
        """Run a command to its end."""
        self.start(key, kind="command", command=command, **request)
        self.hear(wire.Ended, key)
        return Ran(self.folders.runs / key)

    def inspect(self, file: Path, key: str = "inspection-1", **request: Any) -> dict[str, Any]:
        """What inspecting a file answers; empty when it leaves no answer."""
        self.start(key, kind="inspection", file=str(file), roots=[str(self.flows)], **request)
        self.hear(wire.Ended, key)
        answer = self.folders.runs / key / ANSWER
        return json.loads(answer.read_bytes()) if answer.exists() else {}

    def drop(self, text: str, name: str = "etl.py") -> Path:
        """Write a flow file."""
        file = self.flows / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def keep(self, text: str, name: str = "etl.py", *, key: str = "inspection-1") -> dict[str, Any]:
        """Write a flow file and have it inspected: the request that runs its first flow."""
        file = self.drop(text, name)
        answer = self.inspect(file, key)
        assert "error" not in answer, answer["error"]
        flow = answer["flows"][0]
        return {
            "kind": "flow",
            "file": str(file),
            "version": answer["version"],
            "flow": flow["name"],
            "entrypoint": flow["entrypoint"],
        }

    def flow(self, text: str, key: str = "run.1", **request: Any) -> "Ran":
        """Run the first flow of a file to its end."""
        kept = self.keep(text, key=f"inspection-{key}")
        self.start(key, **kept, **request)
        self.hear(wire.Ended, key)
        return Ran(self.folders.runs / key)

    # -- hearing ------------------------------------------------------------------------------------------------

    def hear(self, kind: type[wire.Message] | None, key: str | None = None) -> wire.Message | None:
        """Wait for what the spawner says of this kind (None: that it has gone) and of this attempt."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for number, message in enumerate(self.said):
                is_kind = message is None if kind is None else isinstance(message, kind)
                if is_kind and key in (None, getattr(message, "key", None)):
                    return self.said.pop(number)
            self._listen(deadline)

    def _listen(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        assert left > 0, f"the spawner only said {self.said}"
        assert None not in self.said, f"the spawner has gone; before it said {self.said}"
        select.select([self.link], [], [], left)
        self.said += self.link.heard()


class Ran:
    """What an attempt left."""

    def __init__(self, folder: Path) -> None:
        ended = read_exit(folder)
        assert ended is not None
        self.folder = folder
        self.exit = ended
        self.records = list(parse(tuple(read_bytes(folder / "journal.jsonl").splitlines())))
        self.stdout = read_bytes(folder / "stdout.log")
        self.stderr = read_bytes(folder / "stderr.log")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The records of a kind."""
        return [record for record in self.records if record["k"] == kind]

    def lines(self, stream: str | None = None) -> list[str]:
        """The lines that the run logged, of one stream where it is given."""
        return [record["m"] for record in self.of("log") if stream in (None, record["s"])]

    @property
    def end(self) -> dict[str, Any]:
        """Its last word."""
        (end,) = self.of("end")
        return end


def read_bytes(path: Path) -> bytes:
    """What a file holds, nothing when it is not there."""
    return path.read_bytes() if path.exists() else b""


def is_alive(pid: int) -> bool:
    """Does a process go on? One that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/children").read_text()
            for child in map(int, text.split()):
                found += [child, *descendants(child)]
    return found


def pid_in(file: Path) -> int:
    """The pid that a process writes into a file, once it is there."""
    eventually(lambda: read_bytes(file).endswith(b"\n"))
    return int(read_bytes(file))
