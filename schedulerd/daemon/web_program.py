"""The web process as a program: it is given the readers of definitions, which the web itself does not know."""

import os
import select
import sys
from threading import Event, Thread

from schedulerd.garbage import look_for_no_garbage

_LOOK_SECONDS = 0.2  # at whether all is loaded; the thread then ends


def main() -> None:
    """Serve until the daemon lets go of it."""
    look_for_no_garbage()  # before the rest is loaded; `settle` looks for it again
    loaded = Event()
    Thread(target=_end_unless, args=(loaded, _lifeline()), name="loading", daemon=True).start()
    from schedulerd.daemon.definition_reader import places_of
    from schedulerd.daemon.logs import goes_to_journald, set_up_logs
    from schedulerd.web.program import serve

    set_up_logs(for_journald=goes_to_journald(os.environ))
    serve(places_of, loaded)


def _lifeline() -> int:
    return int(sys.argv[sys.argv.index("--lifeline") + 1])


def _end_unless(loaded: Event, lifeline: int) -> None:
    """End at once when the daemon goes while the rest is being loaded: the next one wants the socket that this one keeps."""
    while not loaded.is_set():
        if select.select([lifeline], [], [], _LOOK_SECONDS)[0]:
            os._exit(0)


if __name__ == "__main__":
    main()
