"""Where the web process will listen: bound by the daemon, so that what is in the way is told before anything begins."""

import errno
import socket
import threading
import time
from typing import Final

from schedulerd.errors import NotPermitted, PortTaken

_BACKLOG: Final = 128
_PATIENCE_SECONDS: Final = 3.0
_AGAIN_SECONDS: Final = 0.05


def bind(host: str, port: int, *, patience: float = _PATIENCE_SECONDS) -> socket.socket:
    """Listen there.

    A port in use is waited for, for so many seconds: the web process of a daemon that was killed lets go of it in a moment. Raises
    `PortTaken`, and `NotPermitted` for what nobody can have here.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    until, pause = time.monotonic() + patience, threading.Event()
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise _unusable(host, port, error) from error
            if time.monotonic() >= until:
                raise PortTaken(host, port) from error
            pause.wait(_AGAIN_SECONDS)
        else:
            return listener


def _unusable(host: str, port: int, error: OSError) -> NotPermitted:
    if isinstance(error, PermissionError):
        return NotPermitted(f"may not listen on {host}:{port}", mend="choose a port above 1023")
    return NotPermitted(
        f"cannot listen on {host}:{port}: {error.strerror}",
        mend="set `[web] host` to an address of this machine (`ip addr` lists them); 127.0.0.1 is the default",
    )
