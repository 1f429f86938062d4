"""Going into the background, where there is no service manager: python-daemon, and a report of how it went."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import daemon as python_daemon

from schedulerd import errors
from schedulerd.errors import SchedulerdError

Announce = Callable[[], None]
LOG: Final = "daemon.log"
_UMASK: Final = 0o077  # python-daemon's own default is 0


def detached(serve: Callable[[Announce], int], state_dir: Path) -> int:
    """Run `serve` in the background; returns when it has announced that it is ready.

    Raises in this process, the foreground, what kept it from starting. Must be called before any thread, child or
    descriptor is made: the background process keeps none.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _background(serve, state_dir, writing)
    os.close(writing)
    os.waitpid(pid, 0)  # the first of the forks, which ends at once
    with open(reading, "rb") as pipe:
        report = pipe.read()
    if not report:
        raise SchedulerdError(f"the daemon ended before it was ready; {state_dir / LOG} says why")
    told: dict[str, Any] = json.loads(report)
    if "error" in told:
        raise _rebuilt(told)
    print(
        f"schedulerd runs in the background (pid {told['pid']}); its log is {state_dir / LOG}",
        file=sys.stderr,
    )
    return 0


def _background(serve: Callable[[Announce], int], state_dir: Path, writing: int) -> None:
    status, pipe = 1, _Pipe(writing)
    try:
        descriptor = os.open(state_dir / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        output = open(descriptor, "a", buffering=1)  # noqa: SIM115  it is the daemon's until it ends
        context = python_daemon.DaemonContext(
            detach_process=True,
            working_directory="/",
            umask=_UMASK,
            files_preserve=[writing, output],
            stdout=output,
            stderr=output,
            signal_map={},
        )
        context.open()
        status = serve(pipe.ready)
    except SchedulerdError as error:
        print(f"the daemon ends: {error.message}", file=sys.stderr)
        pipe.tell({"error": type(error).__name__, "message": error.message, "mend": error.mend})
    except BaseException:  # border: around the whole background process; its log is all that anybody will see
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


class _Pipe:
    """To the process in the foreground, which listens until it was told once."""

    def __init__(self, writing: int) -> None:
        self._writing: int | None = writing

    def ready(self) -> None:
        """The daemon is ready."""
        self.tell({"pid": os.getpid()})

    def tell(self, what: dict[str, Any]) -> None:
        """Say how it went; later words are not for the foreground, and go nowhere."""
        writing, self._writing = self._writing, None
        if writing is not None:
            os.write(writing, json.dumps(what).encode())
            os.close(writing)


def _rebuilt(told: dict[str, Any]) -> SchedulerdError:
    """The error of the background process, as one of this process."""
    kind = getattr(errors, told["error"], SchedulerdError)
    error: SchedulerdError = kind.__new__(kind)
    SchedulerdError.__init__(error, told["message"], mend=told["mend"])
    return error
