"""Testing flows, under Prefect's name: `with prefect_test_harness(): ...`."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from schedulerd.testing.here import History

__all__ = ["prefect_test_harness"]


@contextmanager
def prefect_test_harness(server_startup_timeout: float | None = 30) -> Iterator[History]:
    """Record the flows that are called in the block in a temporary store; the same as `schedulerd.testing.history()`.

    There is no server to wait for, so the timeout means nothing here.
    """
    from schedulerd.testing.here import history  # late: loads the store

    with history() as seen:
        yield seen
