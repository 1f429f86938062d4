"""The daemon's beginning: its state directory, its lock, and the spawner, which loads while the daemon does."""

import os
from collections.abc import Callable
from pathlib import Path

from schedulerd.config import Settings
from schedulerd.daemon.environment import for_children, own_environment
from schedulerd.daemon.logs import goes_to_journald, set_up_logs
from schedulerd.daemon.notify import Notifier
from schedulerd.daemon.spawner_of import first_spawner
from schedulerd.engine.lock import DaemonLock
from schedulerd.engine.processes import become_subreaper
from schedulerd.errors import NotPermitted


def run_daemon(settings: Settings, *, detach: bool = False, verbose: bool = False) -> int:
    """Run until told to stop; the exit status. With `detach` returns once the daemon in the background is ready.

    Raises what keeps a daemon from starting: `AlreadyRunning`, `PortTaken`, `NotPermitted`, `StoreUnavailable`, ...
    """
    make_state_dir(settings.state_dir)
    require_directory(settings.directory)
    if detach:
        from schedulerd.daemon.detach import detached  # python-daemon, of no use in the foreground

        return detached(lambda announce: _serve(settings, announce, verbose=verbose), settings.state_dir)
    return _serve(settings, lambda: None, verbose=verbose)


def make_state_dir(state_dir: Path) -> None:
    """Make the folder of what the daemon keeps; its files are closed to others one by one, the folder to strangers."""
    try:
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted(
            f"cannot make the state directory {state_dir}: {error.strerror}",
            mend="choose another `state_dir` in the settings, or make it and give it to this user",
        ) from error
    if not os.access(state_dir, os.W_OK | os.X_OK):
        raise NotPermitted(f"the state directory {state_dir} is not writable for this user")


def require_directory(directory: Path) -> None:
    """Raise `NotPermitted` unless runs can work in this folder."""
    if not directory.is_dir() or not os.access(directory, os.X_OK):
        raise NotPermitted(
            f"runs cannot work in {directory}: it is no folder that this user may enter",
            mend="set `directory` in the settings to one",
        )


def _serve(settings: Settings, announce: Callable[[], None], *, verbose: bool) -> int:
    environ = own_environment()
    notifier = Notifier(environ)
    set_up_logs(for_journald=goes_to_journald(environ), verbose=verbose)
    become_subreaper()
    lock = DaemonLock(settings.state_dir)
    lock.acquire()
    spawner = first_spawner(settings, for_children(environ))
    try:
        from schedulerd.daemon.life import live  # most of the program: the spawner loads beside

        live(settings, notifier, announce, spawner=spawner)
    finally:
        notifier.say(STOPPING="1")
        spawner.hang_up()
        spawner.let_go()
        lock.release()
        notifier.close()
    return 0
