"""The whole core under a clock that stands still, with a real database, real folders and a spawner without processes."""

import os
import queue
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.bundles import bundled
from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.schedules import FileAppears, Overlap, Policies, ScheduleDefinition
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.leftovers import Leftovers
from schedulerd.operations.sealing import KeyRing
from schedulerd.operations.secrets import SecretBox
from schedulerd.scheduler.alarm import Alarm
from schedulerd.scheduler.answering import Answerer
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.causes import CauseDesk
from schedulerd.scheduler.clock_watch import ClockWatch
from schedulerd.scheduler.core import Core, Mailbox
from schedulerd.scheduler.definitions import Definitions
from schedulerd.scheduler.ending import Ender
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.hook_questions import HookQuestions
from schedulerd.scheduler.hooks import HookDesk
from schedulerd.scheduler.housekeeping import Housekeeper
from schedulerd.scheduler.inspecting import Inspector
from schedulerd.scheduler.intake import IntakeDesk
from schedulerd.scheduler.launching import Launch, Launcher
from schedulerd.scheduler.messages import DefinitionsChanged, Message
from schedulerd.scheduler.parts import Parts
from schedulerd.scheduler.reconciling import Reconciler
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.scheduler.space import Place, Room, SpaceWatch
from schedulerd.scheduler.spawners import Spawners
from schedulerd.scheduler.starting import Starting
from schedulerd.scheduler.ticking import Ticker
from schedulerd.scheduler.webhook_watch import WebhookWatch
from schedulerd.store.database import Database
from tests.builders import BOOT, NOW, a_new_run, a_schedule
from tests.fakes import FakeClock, FakeSpawner, journal
from tests.told import told

AGENT: Final = "agent-1"
MAX_LOG: Final = 10**9
FLOOR: Final = 1_000_000
GRACE: Final = timedelta(seconds=10)


class SilentAlarm(Alarm):
    """Rings for nobody; remembers for when it was set."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(lambda: None, clock)
        self.wanted: datetime | None = None

    def set(self, at: datetime | None) -> None:
        """Remember it."""
        self.wanted = at


class FakeSpawners(Spawners):
    """Spawners of this test: a new one at once in place of one that died."""

    def __init__(self, folders: RunFolders, launcher: Launcher) -> None:
        self._folders = folders
        self._launcher = launcher
        self.all: list[FakeSpawner] = []

    @property
    def present(self) -> FakeSpawner:
        """The one that is asked now."""
        return self.all[-1]

    def look(self, now: float) -> None:
        """Start the first."""
        if not self.all:
            self.lost(now)

    def ready(self) -> None:
        """Nothing to note."""

    def answered(self) -> None:
        """Nothing to note."""

    def lost(self, now: float) -> None:
        """Start another."""
        self.all.append(FakeSpawner(self._folders))
        self._launcher.use(self.present)


class World:
    """A core and everything around it. `start_again` is what a new daemon on the same state directory begins with."""

    def __init__(self, database: Database, state_dir: Path, *, max_running: int = 16) -> None:
        self.clock = FakeClock()
        self.database = database
        self.state_dir = state_dir
        self.max_running = max_running
        self.folders = RunFolders(state_dir)
        self.folders.make()
        self.watched: list[tuple[int, str]] = []
        self.settled: list[Attempt] = []
        self.boot = BOOT
        self.room = Room(free=10 * FLOOR, total=100 * FLOOR, files=None)
        self.start_again()

    def start_again(self) -> None:
        """Begin with what the disk and the database hold, and nothing else."""
        database, clock = self.database, self.clock
        self.attempts = Attempts()
        self.mailbox: Mailbox = queue.SimpleQueue()
        launch = Launch(
            state_dir=self.state_dir, code=self.state_dir / "code", directory=self.state_dir, grace=GRACE
        )
        self.health = HealthBook(clock)
        starting, troubles = Starting(self.health, clock), ScheduleTroubles(self.health)
        launcher, runs = Launcher(self.folders, launch, starting), RunMaker()
        self.spawners = FakeSpawners(self.folders, launcher)
        leftovers = Leftovers(self.folders.runs)
        follower = Follower(
            self.folders, launcher, leftovers, clock=clock, boot_id=self.boot, watch=self._watch
        )
        secrets = SecretBox(KeyRing(self.state_dir, {}))
        self.hooks = HookDesk(
            database,
            self.folders,
            launcher,
            follower,
            clock,
            questions=HookQuestions(database, self.folders, clock, secrets),
            agent=AGENT,
            most=self.max_running,
        )
        reconciler = Reconciler(
            database,
            self.attempts,
            self.folders,
            launcher,
            follower,
            leftovers,
            clock=clock,
            agent=AGENT,
            settled=self._settled,
        )
        self.ender = Ender(database, self.attempts, launcher, follower, grace=GRACE)
        answerer = Answerer(database, self.attempts, self.folders, clock, secrets=secrets)
        self.causes = CauseDesk(runs)
        self.looked_for: list[FileAppears] = []
        self.parts = Parts(
            database=database,
            clock=clock,
            clock_watch=ClockWatch(database, clock, self.health),
            attempts=self.attempts,
            definitions=Definitions(database, clock, runs, troubles, boot_id=self.boot),
            inspector=Inspector(
                self.folders, self._ask_to_inspect, clock, request={"timeout_seconds": 30.0}, timezone="UTC"
            ),
            intake=IntakeDesk(
                database,
                self.attempts,
                self.folders,
                clock,
                max_log=MAX_LOG,
                settled=self._settled,
                asked=answerer.asked,
                freed=answerer.freed,
            ),
            answerer=answerer,
            launcher=launcher,
            ender=self.ender,
            follower=follower,
            hooks=self.hooks,
            reconciler=reconciler,
            ticker=Ticker(
                database,
                runs,
                self.causes,
                troubles,
                agent=AGENT,
                boot_id=self.boot,
                limits=Limits(max_running=self.max_running),
            ),
            housekeeper=Housekeeper(database, clock, Retention()),
            alarm=SilentAlarm(clock),
            spawners=self.spawners,
            health=self.health,
            space=SpaceWatch(
                [
                    Place(
                        name="the state directory", folder=self.state_dir, ballast=self.state_dir / "ballast"
                    )
                ],
                self.health,
                floor=FLOOR,
                room_at=lambda _: self.room,
            ),
            starting=starting,
            webhook_watch=WebhookWatch(database, clock, self.health, secrets),
            reread=lambda: None,
            beat=self._beat,
        )
        self.core = Core(self.parts, self.mailbox, on_turn=self._on_turn)
        self.on_turn: Callable[[], None] = lambda: None
        self.core.begin()

    def _settled(self, attempt: Attempt) -> None:
        self.settled.append(attempt)
        self.hooks.settled(attempt)

    def _on_turn(self, core: Core) -> None:
        self.on_turn()

    def _watch(self, pid: int, key: str) -> bool:
        self.watched.append((pid, key))
        return True

    def _ask_to_inspect(self, key: str) -> bool:
        return False

    def _beat(self, core: Core) -> AgentBeat:
        now = self.clock.now()
        return AgentBeat(
            name=AGENT, host="h", pid=os.getpid(), version="1", boot_id=BOOT, started_at=now, beat_at=now
        )

    # -- what happens -------------------------------------------------------------------------------------------

    @property
    def spawner(self) -> FakeSpawner:
        """The spawner that is asked now."""
        return self.spawners.present

    def turn(self, *messages: Message, **passed: float) -> None:
        """A turn of the core, after so much time; by default enough for all that is done now and then."""
        self.clock.advance(**(passed or {"seconds": 1.0}))
        self.core.turn(messages)

    def define(self, *schedules: ScheduleDefinition) -> None:
        """Have these schedules in force, and nothing else."""
        self.turn(
            DefinitionsChanged(flow_files=frozenset(), look_at=frozenset(), schedules=bundled(schedules))
        )

    def ask_for(self, flow: str, **changes: Any) -> RunKey:
        """Record a run, as people do."""
        with self.database.write() as tx:
            new = a_new_run(tx.flows.get(flow).key, **({"due_at": self.clock.now()} | changes))
            (key,) = tx.runs.add([new])
        assert key is not None
        return key

    def ask_cancel(self, run: RunKey) -> None:
        """Leave a wish."""
        with self.database.write() as tx:
            tx.runs.ask_cancel(run, at=self.clock.now(), actor="kim", reason="cancelled by kim")

    def says(self, run: RunKey, *records: str, name: str = "journal.jsonl") -> None:
        """Let a run write."""
        journal(self.folders.runs / self.run(run).folder, *records, name=name)

    def started(self, flow: str = "dump") -> RunKey:
        """A run that our spawner has started."""
        key = self.ask_for(flow)
        self.turn()
        self.turn(self.spawner.begin(self.run(key).folder))
        self.says(key, '{"k":"start","t":1795327200000000,"pid":4711}')
        self.turn()
        assert self.run(key).state == "running"
        return key

    # -- what is so ---------------------------------------------------------------------------------------------

    def run(self, key: RunKey) -> Run:
        """The run as people are shown it."""
        with self.database.read() as tx:
            return told(tx, [tx.runs.by_key(key)], now=self.clock.now())[0]

    def runs(self) -> list[Run]:
        """All runs, the oldest first."""
        with self.database.read() as tx:
            return told(tx, tx.runs.list(RunFilter(limit=1_000))[::-1], now=self.clock.now())

    def states(self) -> list[str]:
        """The states of all runs, the oldest first."""
        return [run.state.value for run in self.runs()]

    def folder_names(self) -> set[str]:
        """The attempts that have a folder."""
        return self.folders.names()


def a_command(name: str = "dump", **changes: Any) -> ScheduleDefinition:
    """A command that its schedule never starts in the time of a test, for runs asked for by hand."""
    values: dict[str, Any] = {
        "flow": None,
        "command": "true",
        "enabled": False,
        "policies": Policies(overlap=Overlap.ALLOW),
        "origin": "schedules/a.toml:1",
    }
    return a_schedule(name, **(values | changes))


def each_minute(name: str = "dump", **changes: Any) -> ScheduleDefinition:
    """A command at each full minute."""
    return a_command(name, enabled=True, **changes)


assert NOW.second == 0, "the scenes begin at a full minute"
