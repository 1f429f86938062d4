"""The environment of this process, and what of it its children may see."""

import os
from collections.abc import Mapping
from typing import Final

# They would let a run speak for the service.
_SERVICE: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"})
# Settings of the database hold its password, and variables for the URLs of notices theirs: no business of user code.
_SECRET_PREFIXES: Final = ("SCHEDULERD_STORE__", "SCHEDULERD_NOTIFY_")


def own_environment() -> Mapping[str, str]:
    """This process's environment, read at the edge."""
    return os.environ


def for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that spawner, web and runs are started with."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _SERVICE and not name.upper().startswith(_SECRET_PREFIXES)
    }
