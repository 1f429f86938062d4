"""Commands of the program that are given beside everything else, each with what is to be done with its answer."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schedulerd.clock import SystemClock
from tests.service import PROGRAM, Service
from tests.waiting import eventually

_CLOCK: Final = SystemClock()
_HANGS_SECONDS: Final = 90.0  # a slow machine takes its time to start an interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    words: tuple[str, ...]
    process: "subprocess.Popen[str]"
    answered: Callable[[int, str], None]
    since: float


class Commands:
    """Those that were given and have not answered yet."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._given: list[_Given] = []
        self.complaints: list[str] = []

    def give(self, *words: str, answered: Callable[[int, str], None]) -> None:
        """Give a command; `answered` gets its exit status and what it said."""
        config = str(self._service.folder / "config" / "schedulerd.toml")
        process = subprocess.Popen(
            [*PROGRAM, "--config", config, *words],
            cwd=self._service.folder,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._given.append(_Given(words=words, process=process, answered=answered, since=_CLOCK.monotonic()))

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
                said, _ = one.process.communicate()
                one.answered(one.process.returncode, said.strip())

    def finish(self) -> None:
        """Hear all of them."""

        def is_done() -> bool:
            self.look()
            return not self._given

        eventually(is_done, within=_HANGS_SECONDS + 10)
