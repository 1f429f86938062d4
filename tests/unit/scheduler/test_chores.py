"""A bug in what is done again and again fills no log and keeps nothing else from its work."""

import logging
from datetime import datetime

import pytest

from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.chores import LONGEST_PAUSE_SECONDS, Chore
from tests.builders import NOW


class Work:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.at: list[float] = []

    def look(self, now: datetime, monotonic: float) -> None:
        self.at.append(monotonic)
        if self.error is not None:
            raise self.error


def test_a_bug_is_met_less_and_less_often_and_told_as_trouble(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    work.error = KeyError("https://hc.example.com/secret")
    chore = Chore("telling monitors", work.look)

    for second in range(4_000):
        chore.look(NOW, float(second))

    pauses = [round(later - earlier) for earlier, later in zip(work.at, work.at[1:], strict=False)]
    assert pauses[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert set(pauses[10:]) == {LONGEST_PAUSE_SECONDS}
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == len(work.at) < 20
    assert chore.trouble == "telling monitors: KeyError, see the daemon's log (herald_failed)"


def test_when_it_works_again_there_is_no_trouble_and_no_pause() -> None:
    work = Work()
    work.error = KeyError("no")
    chore = Chore("x", work.look)
    for second in range(100):
        chore.look(NOW, float(second))

    work.error = None
    chore.look(NOW, 1_000.0)
    chore.look(NOW, 1_001.0)

    assert work.at[-2:] == [1_000.0, 1_001.0]
    assert chore.trouble == ""


def test_a_database_that_is_away_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    work.error = StoreUnavailable("away")
    chore = Chore("x", work.look)

    for second in range(3):
        chore.look(NOW, float(second))

    assert work.at == [0.0, 1.0, 2.0]
    assert (chore.trouble, caplog.records) == ("", [])
