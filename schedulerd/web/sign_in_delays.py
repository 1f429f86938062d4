"""After wrong passwords the same name from the same address waits: longer with each, and never longer than a quarter of an hour."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from schedulerd.web.networks import network_of

FREE: Final = 3
"""So many may be wrong before there is a wait."""

LONGEST_SECONDS: Final = 900.0
_MOST: Final = 10_000


@dataclass(kw_only=True, slots=True)
class _Row:
    count: int = 0
    until: float = 0.0


class SignInDelays:
    """Times are monotonic. A try counts as wrong until it turns out right, so that many at once are no way around it."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], _Row] = OrderedDict()

    def wait(self, name: str, address: str, now: float) -> float:
        """How many seconds this name from there has to wait; 0: not at all."""
        row = self._rows.get((name, network_of(address)))
        return 0.0 if row is None else max(0.0, row.until - now)

    def note(self, name: str, address: str, now: float) -> int:
        """There is a try; the how many-th in a row that was not right."""
        key = (name, network_of(address))
        row = self._rows.setdefault(key, _Row())
        self._rows.move_to_end(key)
        if len(self._rows) > _MOST:
            self._rows.popitem(last=False)
        row.count += 1
        if row.count >= FREE:
            row.until = now + min(LONGEST_SECONDS, 2.0 ** min(row.count - FREE, 20))
        return row.count

    def note_right(self, name: str, address: str) -> None:
        """It was right."""
        self._rows.pop((name, network_of(address)), None)
