"""Whatever is done to the web interface, due times are decided when they are due. `make bench ONLY=ticks` measures how late."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clockwork import Clockwork

CLIENTS = 20


@pytest.fixture
def clockwork(tmp_path: Path) -> Iterator[Clockwork]:
    made = Clockwork(tmp_path)
    yield made
    made.close()


def test_no_due_time_waits_for_who_looks_on_reads_slowly_or_kills_the_web_process(
    clockwork: Clockwork,
) -> None:
    web, daemon = clockwork.web(), clockwork.service.pid
    assert web is not None
    assert os.getpriority(os.PRIO_PROCESS, web) > os.getpriority(os.PRIO_PROCESS, daemon)

    with clockwork.looked_at(CLIENTS) as crowd, clockwork.read_slowly() as read:
        looked_at = clockwork.lags(4, each=read)
    killed = list[bool]()
    without = clockwork.lags(4, each=lambda: killed.append(clockwork.kill_web()))

    assert crowd.answers["200"] > CLIENTS
    assert any(killed)
    assert (looked_at.lost, without.lost) == ((), ())
    assert max(*looked_at.decided_ms, *without.decided_ms) < 1_000  # before the next one
