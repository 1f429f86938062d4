"""What the core works with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schedulerd.clock import Clock
from schedulerd.domain.agents import AgentBeat
from schedulerd.scheduler.alarm import Alarm
from schedulerd.scheduler.answering import Answerer
from schedulerd.scheduler.attempts import Attempts
from schedulerd.scheduler.clock_watch import ClockWatch
from schedulerd.scheduler.definitions import Definitions
from schedulerd.scheduler.ending import Ender
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.hooks import HookDesk
from schedulerd.scheduler.housekeeping import Housekeeper
from schedulerd.scheduler.inspecting import Inspector
from schedulerd.scheduler.intake import IntakeDesk
from schedulerd.scheduler.launching import Launcher
from schedulerd.scheduler.reconciling import Reconciler
from schedulerd.scheduler.space import SpaceWatch
from schedulerd.scheduler.spawners import Spawners
from schedulerd.scheduler.starting import Starting
from schedulerd.scheduler.ticking import Ticker
from schedulerd.scheduler.webhook_watch import WebhookWatch
from schedulerd.store.database import Database

if TYPE_CHECKING:
    from schedulerd.scheduler.core import Core


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What the core works with; built in one place, `daemon.build`."""

    database: Database
    clock: Clock
    clock_watch: ClockWatch
    attempts: Attempts
    definitions: Definitions
    inspector: Inspector
    intake: IntakeDesk
    answerer: Answerer
    launcher: Launcher
    ender: Ender
    follower: Follower
    hooks: HookDesk
    reconciler: Reconciler
    ticker: Ticker
    housekeeper: Housekeeper
    alarm: Alarm
    spawners: Spawners
    health: HealthBook
    space: SpaceWatch
    starting: Starting
    webhook_watch: WebhookWatch
    reread: Callable[[], None]
    beat: Callable[["Core"], AgentBeat]
