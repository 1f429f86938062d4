"""An agent: the process that starts runs on a machine, the signs of life that it gives, and whether it is drained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

OFFLINE_AFTER: Final = timedelta(seconds=30)
"""An agent that has given no sign of life for so long is taken for gone."""


class AgentState(StrEnum):
    """How an agent stands: it is gone, is drained, is of another version than who looks, or does all it should."""

    ONLINE = "online"
    DRAINING = "draining"
    OFFLINE = "offline"
    OTHER_VERSION = "other_version"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Drain:
    """That an agent is to start no runs until it is resumed: since when, who said so and why."""

    at: datetime
    by: str
    reason: str

    def told(self, agent: str) -> str:
        """The same in a sentence."""
        return f"the agent {agent} is drained by {self.by}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent(AgentBeat):
    """An agent by its last sign of life, and its drain where it has one."""

    drain: Drain | None = None

    def state(self, *, now: datetime, version: str) -> AgentState:
        """How it stands for somebody of this version; what makes most of a difference goes first."""
        if not self.is_online(now=now):
            return AgentState.OFFLINE
        if self.drain is not None:
            return AgentState.DRAINING
        return AgentState.ONLINE if self.version == version else AgentState.OTHER_VERSION
