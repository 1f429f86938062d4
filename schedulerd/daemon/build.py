"""Builds the daemon: the one place where its parts are made and handed to each other."""

import logging
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue
from threading import Event
from typing import Final

from schedulerd.clock import Clock
from schedulerd.config import Settings
from schedulerd.config.settings import LimitSettings
from schedulerd.daemon.agent_names import agent_name
from schedulerd.daemon.binding import bind
from schedulerd.daemon.doorstep import require_users
from schedulerd.daemon.feed import Feed
from schedulerd.daemon.heralding import Heralding
from schedulerd.daemon.spawner_of import spawner_of
from schedulerd.daemon.webprocess import WebProcess, told_to_web
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.causes import SettledFile
from schedulerd.domain.entries import BadEntry
from schedulerd.domain.limits import Limits
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.retention import Retention
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.surroundings import Surroundings
from schedulerd.engine import wire
from schedulerd.engine.accounts import check_surroundings
from schedulerd.engine.cgroups import RunCgroups
from schedulerd.engine.folders import RESULTS, RunFolders
from schedulerd.engine.health_file import HealthFile
from schedulerd.engine.leftovers import Leftovers
from schedulerd.engine.link import SpawnerLink
from schedulerd.engine.processes import boot_id, every_process
from schedulerd.engine.sendmail import by_sendmail
from schedulerd.errors import NotPermitted, StoreUnavailable
from schedulerd.operations.sealing import KeyRing
from schedulerd.operations.secrets import SecretBox
from schedulerd.operations.upgrading import tell, upgrade
from schedulerd.scheduler.alarm import Alarm
from schedulerd.scheduler.answering import Answerer
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.causes import CauseDesk
from schedulerd.scheduler.clock_watch import ClockWatch
from schedulerd.scheduler.core import Core, Mailbox
from schedulerd.scheduler.definitions import Definitions
from schedulerd.scheduler.ears import Ears
from schedulerd.scheduler.ending import Ender
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.herald import Herald
from schedulerd.scheduler.hook_questions import HookQuestions
from schedulerd.scheduler.hooks import HookDesk
from schedulerd.scheduler.housekeeping import Housekeeper
from schedulerd.scheduler.inspecting import Inspector
from schedulerd.scheduler.intake import IntakeDesk
from schedulerd.scheduler.launching import Launch, Launcher, Usual
from schedulerd.scheduler.mailing import Mailer, Sender
from schedulerd.scheduler.messages import Tick, Woken
from schedulerd.scheduler.parts import Parts
from schedulerd.scheduler.reconciling import Reconciler
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.scheduler.space import SpaceWatch, places_of
from schedulerd.scheduler.spawners import Spawners
from schedulerd.scheduler.starting import Starting
from schedulerd.scheduler.ticking import Ticker
from schedulerd.scheduler.webhook_watch import WebhookWatch
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from schedulerd.version import __version__
from schedulerd.watch.awaited_files import AwaitedFiles
from schedulerd.watch.crontabs import own_account
from schedulerd.watch.folders import Role, WatchedFolder
from schedulerd.watch.watcher import Watcher

log = logging.getLogger(__name__)

_STORE_PATIENCE_SECONDS: Final = 1.0


@dataclass(kw_only=True, slots=True)
class Daemon:
    """All that runs."""

    core: Core
    ender: Ender
    alarm: Alarm
    ears: Ears
    watcher: Watcher
    awaited_files: AwaitedFiles
    mailer: Mailer
    herald: Herald
    database: Database
    web: WebProcess | None
    spawners: Spawners
    health: HealthBook
    health_file: HealthFile


def build(
    settings: Settings,
    *,
    clock: Clock,
    environ: Mapping[str, str],
    secrets_from: Mapping[str, str],
    on_turn: Callable[[Core], None],
    spawner: SpawnerLink,
) -> Daemon:
    """Make everything; the lock on the state directory is held by the caller. Nothing runs yet but the open port.

    `environ` is for its children, `secrets_from` has the variables that URLs name, `spawner` is the first to be used.

    Raises `PortTaken`, `NotPermitted`, `StoreUnavailable` or `StoreOutdated`.
    """
    listener = bind(settings.web.host, settings.web.port) if settings.web.enabled else None
    database = Database(settings.store.url, rules=settings.notice_rules)
    tell(upgrade(database, state_dir=settings.state_dir, environ=environ))
    Transaction.load()
    if listener is not None:
        require_users(listener, database)
    return _Builder(settings, clock, environ, secrets_from, database, listener, spawner).build(on_turn)


class _Builder:
    """Holds what several parts need while they are made."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environ: Mapping[str, str],
        secrets_from: Mapping[str, str],
        database: Database,
        listener: socket.socket | None,
        spawner: SpawnerLink,
    ) -> None:
        self._settings = settings
        self._first_spawner: SpawnerLink | None = spawner
        self._clock = clock
        self._environ = environ
        self._secrets_from = secrets_from
        self._database = database
        self._listener = listener
        self._web: WebProcess | None = None
        self._agent = agent_name(settings.state_dir)
        self._started_at = clock.now()

    def build(self, on_turn: Callable[[Core], None]) -> Daemon:
        settings, clock, database = self._settings, self._clock, self._database
        mailbox: Mailbox = SimpleQueue()
        folders = RunFolders(settings.state_dir)
        folders.make()
        cgroups = RunCgroups.below_ours(folders.runs)
        self._cgroups_below = None if cgroups.root is None else str(cgroups.root)
        log.info("run_cgroups", extra={"below": self._cgroups_below or "none"})
        attempts = Attempts()
        heralding = Heralding(settings, clock, database, self._environ, self._secrets_from)
        troubles = heralding.troubles()
        health = HealthBook(clock, heard=troubles.heard)
        starting = Starting(health, clock)
        ears = Ears(settings.state_dir, mailbox.put)
        self._web = self._web_process(ears)
        launcher = Launcher(folders, self._launch, starting)
        mailer = self._mailer()
        runs = RunMaker()
        leftovers = Leftovers(folders.runs, every_process, cgroups)
        follower = Follower(folders, launcher, leftovers, clock=clock, boot_id=boot_id(), watch=ears.watch)
        box = SecretBox(KeyRing(settings.state_dir, self._environ))
        hooks = HookDesk(
            database,
            folders,
            launcher,
            follower,
            clock,
            questions=HookQuestions(database, folders, clock, box),
            agent=self._agent,
            most=settings.max_running,
        )

        def settled(attempt: Attempt) -> None:
            mailer.settled(attempt)
            hooks.settled(attempt)

        reconciler = Reconciler(
            database,
            attempts,
            folders,
            launcher,
            follower,
            leftovers,
            clock=clock,
            agent=self._agent,
            settled=settled,
        )
        answerer = Answerer(database, attempts, folders, clock, secrets=box)
        ender = Ender(database, attempts, launcher, follower, grace=settings.grace)
        alarm = Alarm(lambda: mailbox.put(Tick()), clock)
        watcher = self._watcher(mailbox)
        standstills = ScheduleTroubles(health)
        awaited_files = AwaitedFiles(lambda files: _hand_over(causes, mailbox, files), clock)
        causes = CauseDesk(runs)
        ticker = Ticker(
            database, runs, causes, standstills, agent=self._agent, boot_id=boot_id(), limits=self._limits
        )
        spawners = Spawners(self._new_spawner, launcher, ears, health)
        self._spawners = spawners
        parts = Parts(
            database=database,
            clock=clock,
            clock_watch=ClockWatch(database, clock, health),
            attempts=attempts,
            definitions=Definitions(
                database, clock, runs, standstills, boot_id=boot_id(), look_for=awaited_files.watch
            ),
            inspector=self._inspector(folders, launcher),
            intake=IntakeDesk(
                database,
                attempts,
                folders,
                clock,
                max_log=settings.max_log,
                settled=settled,
                asked=answerer.asked,
                freed=answerer.freed,
            ),
            answerer=answerer,
            launcher=launcher,
            ender=ender,
            follower=follower,
            hooks=hooks,
            reconciler=reconciler,
            ticker=ticker,
            housekeeper=Housekeeper(
                database, clock, self._retention, results=self._settings.state_dir / RESULTS
            ),
            alarm=alarm,
            spawners=spawners,
            health=health,
            space=self._space(health),
            starting=starting,
            webhook_watch=WebhookWatch(database, clock, health, box),
            reread=watcher.tell_again,
            beat=self._beat,
        )
        return Daemon(
            core=Core(parts, mailbox, on_turn=on_turn),
            ender=ender,
            alarm=alarm,
            ears=ears,
            watcher=watcher,
            awaited_files=awaited_files,
            mailer=mailer,
            herald=heralding.herald(troubles),
            database=database,
            web=self._web,
            spawners=spawners,
            health=health,
            health_file=HealthFile(settings.state_dir),
        )

    def _web_process(self, ears: Ears) -> WebProcess | None:
        if self._listener is None:
            return None
        told = told_to_web(self._settings)
        return WebProcess(self._listener, self._environ, told, await_visitor=ears.wake_for)

    @property
    def _limits(self) -> Limits:
        return Limits(max_running=self._settings.max_running, pools=dict(self._settings.pools))

    @property
    def _retention(self) -> Retention:
        kept = self._settings.retention
        return Retention(runs=kept.runs, logs=kept.logs, keep_per_flow=kept.keep_per_flow, audit=kept.audit)

    @property
    def _launch(self) -> Launch:
        return Launch(
            state_dir=self._settings.state_dir,
            code=self._settings.state_dir / "code",
            directory=self._settings.directory,
            grace=self._settings.grace,
            max_result=self._settings.max_result,
            result_storage=self._settings.results,
            hook_timeout=self._settings.hook_timeout,
            usual=usual_of(self._settings.limits),
        )

    def _space(self, health: HealthBook) -> SpaceWatch:
        places = places_of(self._settings.state_dir, self._database.file)
        give_room_back = self._database.give_room_back
        return SpaceWatch(places, health, floor=self._settings.min_free_space, give_room_back=give_room_back)

    def _inspector(self, folders: RunFolders, launcher: Launcher) -> Inspector:
        request = self._launch.base() | {
            "timeout_seconds": self._settings.inspect_timeout.total_seconds(),
            "grace": 1.0,
            "roots": [str(folder) for folder in self._settings.flows],
        }
        return Inspector(
            folders,
            lambda key: launcher.say(wire.Start(key=key)),
            self._clock,
            request=request,
            timezone=self._settings.timezone,
            pools=self._settings.pools,
        )

    def _watcher(self, mailbox: Mailbox) -> Watcher:
        settings = self._settings
        feed = Feed(
            mailbox.put, timezone=settings.timezone, pools=settings.pools, last_known=self._last_known
        )
        watched = [
            *(WatchedFolder(path=path, role=Role.FLOW) for path in self._settings.flows),
            *(WatchedFolder(path=path, role=Role.SCHEDULES) for path in self._settings.schedules),
            *(WatchedFolder(path=path, role=Role.CRONTAB) for path in self._settings.crontabs),
        ]
        return Watcher(watched, feed, self._clock)

    def _last_known(self) -> list[ScheduleDefinition]:
        """What the database has in force; waits for it."""
        while True:
            try:
                with self._database.read() as tx:
                    return [schedule.definition for schedule in tx.schedules.all()]
            except StoreUnavailable as error:  # nothing may go out of force for want of an answer
                log.warning("last_known_awaited", extra={"reason": error.message})
                Event().wait(_STORE_PATIENCE_SECONDS)

    def _mailer(self) -> Mailer:
        sender = Sender(user=own_account(os.geteuid()).name, host=socket.gethostname().partition(".")[0])
        return Mailer(self._database, self._clock, by_sendmail(self._environ), sender)

    def _new_spawner(self) -> SpawnerLink:
        first, self._first_spawner = self._first_spawner, None
        return first or spawner_of(self._settings, self._environ)

    def _beat(self, core: Core) -> AgentBeat:
        now = self._clock.now()
        return AgentBeat(
            name=self._agent,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            boot_id=boot_id(),
            started_at=self._started_at,
            beat_at=now,
            status={
                "running": core.running_count,
                "ticks": core.tick_count,
                "max_running": self._settings.max_running,
                "pools": dict(self._settings.pools),
                "spawner": self._spawners.pid,
                "web": None if self._web is None else self._web.address,
                "run_cgroups": self._cgroups_below,
                "problems": core.problem_count,
                "ready": core.health.is_ready,
                "troubles": [trouble.as_json() for trouble in core.health.troubles],
            },
        )


def usual_of(limits: LimitSettings) -> Usual:
    """The limits of the settings. Raises `NotPermitted` for those that this daemon cannot set."""
    cpu_time = limits.cpu_time
    surroundings = Surroundings(
        memory_bytes=limits.memory,
        cpu_seconds=None if cpu_time is None else -(-cpu_time // timedelta(seconds=1)),
        open_files=limits.open_files,
        nice=limits.nice,
    )
    try:
        check_surroundings(surroundings, (), uid=os.geteuid())
    except BadEntry as error:
        raise NotPermitted(f"[limits] of the settings: {error.reason}") from error
    return Usual(surroundings=surroundings, timeout=limits.timeout)


def _hand_over(causes: CauseDesk, mailbox: Mailbox, files: Iterable[SettledFile]) -> None:
    """Files have come: the core is to decide what becomes of them."""
    causes.note(files)
    mailbox.put(Woken())
