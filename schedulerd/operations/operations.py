"""Everything that can be asked, by its noun. An edge builds one and translates for it; it decides nothing itself."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.ids import RANDOM_BITS
from schedulerd.operations.daemon import Daemon
from schedulerd.operations.fires import Fires
from schedulerd.operations.flows import Flows
from schedulerd.operations.runs import Runs
from schedulerd.operations.schedules import Schedules
from schedulerd.store.database import Database


class Operations:
    """The wishes, a small class for each noun."""

    def __init__(
        self,
        database: Database,
        *,
        state_dir: Path,
        clock: Clock,
        entropy: Callable[[], int] = lambda: secrets.randbits(RANDOM_BITS),
    ) -> None:
        self.daemon: Final = Daemon(database, state_dir, clock)
        self.runs: Final = Runs(database, clock, wake=self.daemon.wake, entropy=entropy)
        self.flows: Final = Flows(database)
        self.schedules: Final = Schedules(database)
        self.fires: Final = Fires(database, clock)
