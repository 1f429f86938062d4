"""What the web process does once, soon after it was started, so that no single request is slow."""

import contextlib
from datetime import timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.errors import SchedulerdError
from schedulerd.garbage import look_for_garbage_again
from schedulerd.operations.operations import Operations
from schedulerd.web.late_routes import load_what_makes_routes
from schedulerd.web.rendering import compile_templates

_HOUR: Final = timedelta(hours=1)


def settle(operations: Operations, clock: Clock) -> None:
    """Load what is not loaded yet, compile templates and queries, and have what is there by then left alone by the collector of garbage.

    To look through all of it now and then would hold up a page for 50 ms.
    """
    try:
        operations.load()
        load_what_makes_routes()
        compile_templates()
        with contextlib.suppress(SchedulerdError):  # who asks will be told
            _look(operations, clock)
    finally:
        look_for_garbage_again()


def _look(operations: Operations, clock: Clock) -> None:
    """Ask what the pages ask that are looked at most."""
    now, history, figures = clock.now(), operations.history, operations.figures
    seen = operations.snapshots.take()
    operations.daemon.status_at(seen)
    figures.activity(since=now - _HOUR, until=now, bars=1)
    for words in ("", "state:bad"):
        query = history.query(words, zone=None)
        runs = history.page(query).runs
        history.counts(query)
    flows = {run.flow: run.flow_key for run in runs}
    figures.strips_of(flows, count=1)
    figures.of_flows(flows, since=now - _HOUR, until=now)
    history.of_keys([run.key for run in runs])
    operations.log_chunks.last_lines(runs)
    operations.flows.named([one.name for one in operations.flows.definitions()][:1])
    operations.flows.errors()
    operations.fires.next(limit=1)
