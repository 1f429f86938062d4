"""Commands of the program that are given beside everything else, each with what is to be done with its answer."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from schedulerd.clock import SystemClock
from tests import warm
from tests.service import Service
from tests.waiting import eventually

_CLOCK: Final = SystemClock()
_HANGS_SECONDS: Final = 90.0  # a slow machine takes its time to start an interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    words: tuple[str, ...]
    process: warm.Forked
    said: IO[bytes]
    answered: Callable[[int, str], None]
    since: float

    def all_said(self) -> str:
        """What it has said, when it has ended."""
        with self.said:
            self.said.seek(0)
            return self.said.read().decode().strip()


class Commands:
    """Those that were given and have not answered yet."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._given: list[_Given] = []
        self.complaints: list[str] = []

    def give(self, *words: str, answered: Callable[[int, str], None]) -> None:
        """Give a command; `answered` gets its exit status and what it said."""
        folder = self._service.folder
        said = tempfile.TemporaryFile()  # noqa: SIM115  open until it is heard
        process = warm.start(
            ["--config", str(folder / "config" / "schedulerd.toml"), *words],
            directory=folder,
            environ=os.environ,
            stdout=said,
            stderr=said,
        )
        self._given.append(
            _Given(words=words, process=process, said=said, answered=answered, since=_CLOCK.monotonic())
        )

    def look(self) -> None:
        """Hear those that have answered."""
        for one in list(self._given):
            hangs = _CLOCK.monotonic() - one.since > _HANGS_SECONDS
            if hangs and one.process.poll() is None:
                self.complaints.append(f"`schedulerd {' '.join(one.words)}` hangs")
                one.process.kill()
                one.process.wait()
            if one.process.poll() is not None:
                self._given.remove(one)
                one.answered(one.process.wait(), one.all_said())

    def finish(self) -> None:
        """Hear all of them."""

        def is_done() -> bool:
            self.look()
            return not self._given

        eventually(is_done, within=_HANGS_SECONDS + 10)
