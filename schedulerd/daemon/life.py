"""The daemon from when it holds its state directory until it ends: build, run, and an orderly end."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import FrameType
from typing import Final

from schedulerd.clock import Clock, SystemClock
from schedulerd.config import Settings
from schedulerd.daemon.build import Daemon, build
from schedulerd.daemon.doorstep import link_for_starter
from schedulerd.daemon.environment import for_children, own_environment
from schedulerd.daemon.notify import Notifier
from schedulerd.daemon.welcome import program, welcome
from schedulerd.domain.health import Health, TroubleKind
from schedulerd.engine.doorbell import take_down
from schedulerd.engine.link import SpawnerLink
from schedulerd.engine.lock import note_reload, take_stop_order
from schedulerd.garbage import look_for_garbage_again
from schedulerd.scheduler.core import Core
from schedulerd.scheduler.messages import Reload, Stop
from schedulerd.version import __version__

log = logging.getLogger(__name__)

# The watcher may read thousands of files while something is due: the core, which gives the interpreter away at each
# statement, would wait 5 ms each time to have it back.
_SWITCH_SECONDS: Final = 0.0005

_REPORT_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_HURRIED_GRACE: Final = timedelta(seconds=2)  # Ctrl-C: the person waits


def live(
    settings: Settings, notifier: Notifier, announce: Callable[[], None], *, spawner: SpawnerLink
) -> None:
    """Run until told to stop; `announce` is called when runs can be started.

    `spawner` is the first one, which may have been started already. Raises as `build` does.
    """
    environ, clock = own_environment(), SystemClock()
    turn = _Turn(settings, notifier, clock, announce)
    daemon = build(
        settings,
        clock=clock,
        environ=for_children(environ),
        secrets_from=environ,
        on_turn=turn,
        spawner=spawner,
    )
    turn.is_for(daemon)
    _run(daemon, settings)


def _run(daemon: Daemon, settings: Settings) -> None:
    _on_signals(daemon, settings)
    sys.setswitchinterval(_SWITCH_SECONDS)
    daemon.core.begin()
    daemon.ears.start()
    daemon.alarm.start()
    daemon.mailer.start()
    daemon.herald.start()
    daemon.watcher.start()
    daemon.awaited_files.start()
    log.info("started", extra={"version": __version__, "pid": os.getpid(), "state_dir": settings.state_dir})
    look_for_garbage_again()
    try:
        daemon.core.run()
    finally:
        _stop(daemon, settings)
        log.info("stopped")


def _stop(daemon: Daemon, settings: Settings) -> None:
    """In the order in which nothing is lost: first those that bring news, last the database."""
    daemon.watcher.stop()
    daemon.awaited_files.stop()
    daemon.alarm.stop()
    daemon.ears.stop()
    take_down(settings.state_dir)
    if daemon.web is not None:
        daemon.web.stop()
    daemon.spawners.hang_up(runs_go_on=daemon.core.has_processes)
    daemon.mailer.stop()
    daemon.herald.stop()
    daemon.health_file.close()
    daemon.database.close()


def _on_signals(daemon: Daemon, settings: Settings) -> None:
    """SIGTERM stops as was ordered or as the settings say, SIGINT cancels, SIGHUP reads everything anew.

    The handlers only post; a simple queue may be posted to from a signal handler.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        order = take_stop_order(settings.state_dir)
        if order is not None:
            daemon.core.post(Stop(how=order.how, patience=order.patience))
        else:
            daemon.core.post(
                Stop(how=settings.on_stop.value, patience=settings.drain_timeout.total_seconds())
            )

    def interrupt(signum: int, frame: FrameType | None) -> None:
        daemon.ender.hurry(_HURRIED_GRACE)
        daemon.core.post(Stop(how="cancel"))

    def reload(signum: int, frame: FrameType | None) -> None:
        if (
            has_terminal and not _terminal_is_there()
        ):  # it was closed: that is the other meaning of this signal
            _let_go_of_terminal(on_terminal)
            stop(signum, frame)
            return
        daemon.core.post(Reload(done=lambda: note_reload(settings.state_dir)))

    has_terminal = _terminal_is_there()
    on_terminal = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, reload)


class _Nurse:
    """Starts the web process and the watcher's thread again when they have died, and says so."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._pause = 0.0
        self._again_at = float("-inf")

    def look(self, now: float) -> None:
        """Called after each turn of the core; `now` is monotonic."""
        self._see_to_web(now)
        self._see_to_notices()
        if self._daemon.watcher.is_watching:
            self._daemon.health.clear(TroubleKind.WATCHER)
        elif now >= self._again_at:
            self._see_to_watcher(now)

    def _see_to_web(self, now: float) -> None:
        web = self._daemon.web
        if web is None:
            return
        web.look(now)
        if web.trouble:
            self._daemon.health.note(TroubleKind.WEB, web.trouble)
        else:
            self._daemon.health.clear(TroubleKind.WEB)

    def _see_to_notices(self) -> None:
        if trouble := self._daemon.herald.trouble:
            self._daemon.health.note(TroubleKind.NOTICES, trouble)
        else:
            self._daemon.health.clear(TroubleKind.NOTICES)
        if trouble := self._daemon.herald.monitor_trouble:
            self._daemon.health.note(TroubleKind.MONITORS, trouble)
        else:
            self._daemon.health.clear(TroubleKind.MONITORS)

    def _see_to_watcher(self, now: float) -> None:
        self._daemon.health.note(TroubleKind.WATCHER, "the thread that watches the folders has died")
        self._pause = min(max(1.0, self._pause * 2), _LONGEST_PAUSE_SECONDS)
        self._again_at = now + self._pause
        self._daemon.watcher.stop()
        try:
            self._daemon.watcher.start()
        except (RuntimeError, OSError) as error:  # the system gives no thread, or no descriptor
            self._daemon.health.note(TroubleKind.WATCHER, f"the folders are not watched: {error}")


def _terminal_is_there() -> bool:
    """Does this process have a terminal that it could ask something (tty(4))?"""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _let_go_of_terminal(descriptors: Iterable[int]) -> None:
    """What is still to be said goes nowhere, rather than into errors: the terminal has gone."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


class _Turn:
    """What happens after each turn of the core: it lives, so its children and the service manager are seen to."""

    def __init__(
        self, settings: Settings, notifier: Notifier, clock: Clock, announce: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._notifier = notifier
        self._clock = clock
        self._announce = announce
        self._announced = False
        self._pinged_at = self._reported_at = float("-inf")
        self._reported: Health | None = None
        self._nurse: _Nurse | None = None
        self._daemon: Daemon | None = None

    def is_for(self, daemon: Daemon) -> None:
        """Look after this one from now on."""
        self._daemon, self._nurse = daemon, _Nurse(daemon)

    def __call__(self, core: Core) -> None:
        now = self._clock.monotonic()
        if self._nurse is not None:
            self._nurse.look(now)
        self._report(core, now)
        if core.is_ready and not self._announced:
            self._announced = True
            self._notifier.say(READY="1")
            self._announce()
            log.info("ready", extra={"web": self._where()})
            if sys.stderr.isatty():
                self._welcome()
        if now - self._pinged_at >= 1.0:
            self._pinged_at = now
            self._notifier.say(WATCHDOG="1", STATUS=_status(core))

    def _welcome(self) -> None:
        """Greet the person at the terminal, with a link that signs in: it must never get into a log."""
        daemon, link = self._daemon, None
        if daemon is not None and daemon.web is not None:
            link = link_for_starter(daemon.database, self._clock, daemon.web.address)
        text = welcome(self._settings, program=program(), where=self._where(), link=link)
        print(text, file=sys.stderr)

    def _report(self, core: Core, now: float) -> None:
        """Leave in a file how it is, for those who ask while the database is away."""
        news = core.health != self._reported
        if self._daemon is not None and (news or now - self._reported_at >= _REPORT_SECONDS):
            self._reported, self._reported_at = core.health, now
            self._daemon.health_file.write(core.health, database=self._daemon.database.file_identity)

    def _where(self) -> str:
        web = self._daemon.web if self._daemon is not None else None
        return "off" if web is None else web.address


def _status(core: Core) -> str:
    words = [f"{core.running_count} running"]
    if core.next_due is not None:
        words.append(f"next due {core.next_due:%Y-%m-%d %H:%M:%S}Z")
    if core.problem_count:
        words.append(f"{core.problem_count} file(s) with errors")
    status = ", ".join(words)
    if not core.health.troubles:
        return status
    said = "; ".join(trouble.reason for trouble in core.health.troubles)
    return f"{status}; {'' if core.health.is_ready else 'no runs are started: '}{said}"
