"""Stand-ins with behaviour, handed in where the real thing would make a test slow or blind."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from schedulerd.engine import folders as disk
from schedulerd.engine import wire
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.link import SpawnerLink
from schedulerd.engine.notes import Exit, write_exit, write_process
from schedulerd.engine.processes import ProcessId, identify
from schedulerd.scheduler.messages import SpawnerSpoke
from tests.builders import NOW

ENDED_US: Final = 1_795_327_201_000_000  # a second after NOW


class FakeClock:
    """A clock that stands still until it is told to go on. Its two times may be moved apart."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self.step = 0.0  # seconds that pass each time it is asked

    def now(self) -> datetime:
        """The moment at which it stands."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        self._monotonic += self.step
        return self._monotonic

    def advance(self, seconds: float = 0.0, **parts: float) -> None:
        """Let time pass: `advance(0.5)`, `advance(hours=1)`."""
        passed = timedelta(seconds=seconds) + timedelta(**parts)
        self._now += passed
        self._monotonic += passed.total_seconds()

    def jump(self, **parts: float) -> None:
        """Set the clock on the wall, while no time passes."""
        self._now += timedelta(**parts)


class FakeSpawner(SpawnerLink):
    """A spawner without processes: it does with the folders what the real one does, when the test says so.

    What it says comes back as the message that the core would hear.
    """

    def __init__(self, folders: RunFolders) -> None:
        self._folders = folders
        self._open: dict[str, int] = {}
        self.identity = identify(os.getpid())
        self.asked: list[wire.Message] = []
        self.is_deaf = False

    def ask(self, message: wire.Message) -> bool:
        """Note the request; a deaf one cannot be asked."""
        if not self.is_deaf:
            self.asked.append(message)
        return not self.is_deaf

    @property
    def keys(self) -> list[str]:
        """The attempts that it was asked to start."""
        return [message.key for message in self.asked if isinstance(message, wire.Start)]

    @property
    def stops(self) -> list[wire.Stop]:
        """The attempts that it was asked to end."""
        return [message for message in self.asked if isinstance(message, wire.Stop)]

    def take(self, key: str) -> SpawnerSpoke:
        """Take the folder, as far as the latch."""
        folder = self._folders.take(key)
        if folder is None:
            return SpawnerSpoke(said=wire.Gone(key=key))
        self._open[key] = folder
        return SpawnerSpoke(said=wire.Taken(key=key, pid=os.getpid()))

    def begin(self, key: str, *, process: ProcessId | None = None) -> SpawnerSpoke:
        """Take it and begin: its process is this one, unless another is given."""
        said = self.take(key)
        if isinstance(said.said, wire.Taken):
            write_process(self._open[key], process or self.identity, self.identity)
            assert disk.begin(self._open[key])
        return said

    def end(self, key: str, *, status: int | None = 0, **changes: int | str | None) -> SpawnerSpoke:
        """Note how the attempt ended, and say so."""
        ended = replace(Exit(ended_us=ENDED_US, status=status), **changes)  # type: ignore[arg-type]
        write_exit(self._open[key], ended)
        os.close(self._open.pop(key))
        return SpawnerSpoke(said=wire.Ended(key=key))

    def die(self) -> SpawnerSpoke:
        """Go away, with nothing more to say of its attempts."""
        for folder in self._open.values():
            os.close(folder)
        self._open.clear()
        self.identity = a_dead_process()
        return SpawnerSpoke(said=None)


def a_dead_process() -> ProcessId:
    """The identity of a process that has gone: its pid belongs to another by now."""
    return replace(identify(os.getpid()), start_time=1)


def journal(folder: Path, *records: str, name: str = "journal.jsonl") -> None:
    """Append lines to a file of an attempt."""
    with open(folder / name, "a") as file:
        file.writelines(record + "\n" for record in records)
