"""An agent: the process that starts runs on a machine, and the signs of life that it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

OFFLINE_AFTER: Final = timedelta(seconds=30)
"""An agent that has given no sign of life for so long is taken for gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentBeat:
    """A sign of life: who it is, since when, and how it does (`status`, what it wants to show)."""

    name: str
    host: str
    pid: int
    version: str
    boot_id: str
    started_at: datetime
    beat_at: datetime
    status: Mapping[str, Any] = field(default_factory=dict)

    def is_online(self, *, now: datetime) -> bool:
        """Is the sign of life young enough?"""
        return now - self.beat_at <= OFFLINE_AFTER
