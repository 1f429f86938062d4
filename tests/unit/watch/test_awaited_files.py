"""Files that schedules wait for: which are told of, and which are refused."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from schedulerd.domain.causes import SettledFile
from schedulerd.domain.schedules import FileAppears
from schedulerd.watch.awaited_files import SETTLE_SECONDS, AwaitedFiles
from tests.fakes import FakeClock

NO_TEXT = "caf\udce9.csv"


class Inbox:
    """A folder that is looked at for `*.csv`, and what was told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self._clock = FakeClock()
        self._awaited = AwaitedFiles(self._found, self._clock)
        self._awaited.watch([FileAppears(pattern=f"{folder}/*.csv", parameter="path")])

    def _found(self, files: Sequence[SettledFile]) -> None:
        self.told += [Path(file.path).name for file in files]

    def look(self) -> None:
        """Look until what is there has settled."""
        self._awaited.look()
        self._clock.advance(seconds=SETTLE_SECONDS)
        self._awaited.look()


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def refused(log: pytest.LogCaptureFixture) -> list[str]:
    return [vars(one)["file"] for one in log.records if one.message == "awaited_file_refused"]


def test_a_file_whose_name_is_no_text_is_refused_once_and_keeps_back_no_other(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    (inbox.folder / NO_TEXT).touch()
    (inbox.folder / "good.csv").touch()

    with caplog.at_level(logging.WARNING):
        inbox.look()
        inbox.look()

    assert inbox.told == ["good.csv"]
    assert refused(caplog) == [rf"{inbox.folder}/caf\xe9.csv"]


def test_what_is_no_file_or_is_not_waited_for_is_not_spoken_of(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    (inbox.folder / NO_TEXT).mkdir()
    (inbox.folder / "caf\udce9.txt").touch()

    with caplog.at_level(logging.WARNING):
        inbox.look()

    assert (inbox.told, refused(caplog)) == ([], [])


def test_a_refused_file_that_is_renamed_is_taken(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    (inbox.folder / NO_TEXT).touch()
    inbox.look()

    (inbox.folder / NO_TEXT).rename(inbox.folder / "cafe.csv")
    inbox.look()

    assert inbox.told == ["cafe.csv"]
