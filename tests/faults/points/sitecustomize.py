"""Python imports this at the start of any program that has this folder in its path: it lays what it is asked to."""

import os

if os.environ.get("TRIP_POINT"):
    import tripwire  # type: ignore[import-not-found]  # beside this file, once it is in the path

    tripwire.lay(os.environ["TRIP_POINT"], os.environ["TRIP_MARK"])
if os.environ.get("NO_LATCH"):
    import no_latch  # type: ignore[import-not-found]

    no_latch.take_away()
