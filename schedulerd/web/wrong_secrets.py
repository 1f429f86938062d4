"""How many wrong secrets are listened to: some at once, then one now and then, from each address and from all together.

What all together may show does not count for an address that has shown a right one: strangers keep nobody out.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from schedulerd.web.networks import network_of

BURST: Final = 20
REFILL_SECONDS: Final = 3.0
"""One more after so long."""

BURST_OF_ALL: Final = 200
REFILL_SECONDS_OF_ALL: Final = 0.1
MOST_ADDRESSES: Final = 1_000


@dataclass(kw_only=True, slots=True)
class _Allowance:
    left: float
    at: float


class WrongSecrets:
    """Times are monotonic."""

    def __init__(self) -> None:
        self._right: OrderedDict[str, None] = OrderedDict()
        self._of: OrderedDict[str, _Allowance] = OrderedDict()
        self._all = _Allowance(left=BURST_OF_ALL, at=0.0)

    def wait(self, address: str, now: float) -> float:
        """How many seconds this address has to wait before it is listened to; 0: not at all."""
        address = network_of(address)
        own = self._of.get(address)
        mine = 0.0 if own is None else _wait(own, now, burst=BURST, refill=REFILL_SECONDS)
        if address in self._right:
            return mine
        return max(mine, _wait(self._all, now, burst=BURST_OF_ALL, refill=REFILL_SECONDS_OF_ALL))

    def note_right(self, address: str) -> None:
        """It has shown a right one."""
        address = network_of(address)
        self._right[address] = None
        self._right.move_to_end(address)
        if len(self._right) > MOST_ADDRESSES:
            self._right.popitem(last=False)

    def note(self, address: str, now: float) -> None:
        """It has shown a wrong one."""
        address = network_of(address)
        own = self._of.setdefault(address, _Allowance(left=BURST, at=now))
        self._of.move_to_end(address)
        if len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)
        own.left -= 1.0
        self._all.left -= 1.0


def _wait(allowance: _Allowance, now: float, *, burst: float, refill: float) -> float:
    allowance.left = min(burst, allowance.left + max(0.0, now - allowance.at) / refill)
    allowance.at = now
    return 0.0 if allowance.left >= 1.0 else (1.0 - allowance.left) * refill
