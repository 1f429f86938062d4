"""The web interface apart from the daemon: the same pages and API over the same database, and no scheduler.

It takes no lock, starts no runs, and changes nothing about the schema: what is asked for there the daemon does, which it wakes
where both have one state directory.
"""

import logging
import signal
import sys
from threading import Event
from types import FrameType
from typing import Final

from schedulerd.clock import SystemClock
from schedulerd.config import Settings
from schedulerd.daemon.binding import bind
from schedulerd.daemon.doorstep import link_for_starter, require_users
from schedulerd.daemon.environment import for_children, own_environment
from schedulerd.daemon.logs import goes_to_journald, set_up_logs
from schedulerd.daemon.notify import Notifier
from schedulerd.daemon.webprocess import WebProcess, told_to_web
from schedulerd.engine.lock import holder
from schedulerd.errors import SchedulerdError
from schedulerd.garbage import look_for_garbage_again
from schedulerd.operations.daemon import guard
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5


def serve_apart(settings: Settings, *, verbose: bool = False) -> int:
    """Serve until told to stop; the exit status.

    Raises `PortTaken`, `NotPermitted`, `StoreUnavailable`, and `StoreOutdated`: the schema is the daemon's to upgrade.
    """
    environ = own_environment()
    set_up_logs(for_journald=goes_to_journald(environ), verbose=verbose)
    listener = bind(settings.web.host, settings.web.port)
    database = guard(Database(settings.store.url), settings.state_dir)
    try:
        database.require_current()
        require_users(listener, database)
    except SchedulerdError:
        listener.close()
        database.close()
        raise
    told = {**told_to_web(settings), "apart": True}
    web = WebProcess(
        listener, for_children(environ), told, await_visitor=lambda _: None
    )  # it is looked at often enough
    stopping, notifier = _on_signals(), Notifier(environ)
    _tell(settings, web, database)
    database.close()
    notifier.say(READY="1")
    look_for_garbage_again()
    try:
        _keep(web, stopping, notifier)
    finally:
        notifier.say(STOPPING="1")
        web.stop()
        notifier.close()
        log.info("stopped")
    return 0


def _keep(web: WebProcess, stopping: Event, notifier: Notifier) -> None:
    """Keep it alive until it is to stop."""
    clock = SystemClock()
    web.look(clock.monotonic())
    while not stopping.wait(_LOOK_SECONDS):
        web.look(clock.monotonic())
        notifier.say(WATCHDOG="1", STATUS=web.trouble or "the web interface only")


def _on_signals() -> Event:
    stopping = Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def _tell(settings: Settings, web: WebProcess, database: Database) -> None:
    """Say what this is, and what it is not."""
    daemon = holder(settings.state_dir)
    log.info(
        "web_only",
        extra={
            "web": web.address,
            "state_dir": settings.state_dir,
            "daemon": "none here" if daemon is None else daemon,
        },
    )
    if sys.stderr.isatty():
        link = link_for_starter(database, SystemClock(), web.address)
        print(_welcome(settings, web.address, daemon, link), file=sys.stderr)


def _welcome(settings: Settings, address: str, daemon: int | None, link: str | None) -> str:
    runs = (
        f"no daemon runs on {settings.state_dir}: runs wait until one does"
        if daemon is None
        else f"the daemon is process {daemon}"
    )
    entry = "" if link is None else f"\n  To come in, within ten minutes:\n\n    {link}\n"
    return f"\n  The web interface only, at {address}\n\n    this process starts no runs; {runs}\n{entry}\n  Ctrl-C stops it.\n"
