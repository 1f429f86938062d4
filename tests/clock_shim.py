"""A clock on the wall that a test moves, for whole processes: all that is started with `MovedClock.environment`.

What it moves and what stays true is said in `tests/clockshift/clockshift.c`.
"""

import mmap
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from schedulerd.clock import SystemClock
from tests import shims

SOURCE: Final = Path(__file__).parent / "clockshift" / "clockshift.c"

_TRUE: Final = SystemClock()
_MICROSECOND: Final = timedelta(microseconds=1)


class MovedClock:
    """The clock of the processes that are started with its environment: this machine's, and a shift.

    It goes on at the true pace. A change is seen at once, in those that run already too.
    """

    def __init__(self, library: Path, file: Path) -> None:
        file.write_bytes(bytes(8))
        with open(file, "r+b") as opened:
            self._mapped: Final = mmap.mmap(opened.fileno(), 8)
        self._shift_ns: Final = memoryview(self._mapped).cast(
            "q"
        )  # written by one store: never half of it is seen
        self.environment: Final[Mapping[str, str]] = {
            "LD_PRELOAD": str(library),
            "CLOCKSHIFT_FILE": str(file),
        }

    @property
    def shift(self) -> timedelta:
        """How far it is ahead of the true time."""
        return self._shift_ns[0] // 1_000 * _MICROSECOND

    def now(self) -> datetime:
        """What it shows: aware, in UTC."""
        return _TRUE.now() + self.shift

    def monotonic(self) -> float:
        """Seconds that only go forward, and that it does not move."""
        return _TRUE.monotonic()

    def set(self, moment: datetime) -> None:
        """Have it show this moment now."""
        self._move_to(moment.astimezone(UTC) - _TRUE.now())

    def jump(self, by: timedelta) -> None:
        """Put it forward, or back."""
        self._move_to(self.shift + by)

    def _move_to(self, shift: timedelta) -> None:
        self._shift_ns[0] = shift // _MICROSECOND * 1_000

    def close(self) -> None:
        """Give up the file. Processes that go on keep the last shift."""
        self._shift_ns.release()
        self._mapped.close()


def build(folder: Path) -> Path:
    """Compile the shim into a folder; without a compiler the test is skipped, or fails where it is required."""
    return shims.build(SOURCE, folder, part="clockshift")
