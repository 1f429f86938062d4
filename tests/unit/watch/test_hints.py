"""What inotify tells of folders, and who wakes whoever waits for it."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from schedulerd.watch.hints import Bell, Inotify, NoEventsError

LONG = 60.0


@pytest.fixture
def bell() -> Iterator[Bell]:
    with closing(Bell()) as bell:
        yield bell


def test_what_changes_in_a_folder_is_told_at_once(tmp_path: Path, bell: Bell) -> None:
    with closing(Inotify([tmp_path])) as hints:
        (tmp_path / "a.py").write_text("x")

        assert hints.wait(LONG, bell) == {tmp_path / "a.py"}


def test_what_changes_below_a_folder_is_not_told(tmp_path: Path, bell: Bell) -> None:
    (tmp_path / "below").mkdir()

    with closing(Inotify([tmp_path])) as hints:
        (tmp_path / "below" / "a.py").write_text("x")
        (tmp_path / "b.py").write_text("x")

        assert hints.wait(LONG, bell) == {tmp_path / "b.py"}


def test_a_folder_by_two_names_is_told_by_both(tmp_path: Path, bell: Bell) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)

    with closing(Inotify([folder, link])) as hints:
        (folder / "a.py").write_text("x")

        assert hints.wait(LONG, bell) == {folder / "a.py", link / "a.py"}


def test_a_folder_that_goes_is_told_itself_and_not_heard_any_more(tmp_path: Path, bell: Bell) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    with closing(Inotify([folder])) as hints:
        heard_all = not hints.is_deaf
        folder.rmdir()
        folder.mkdir()

        assert hints.wait(LONG, bell) == {folder}
        assert (heard_all, hints.is_deaf) == (True, True)


def test_where_more_happened_than_is_kept_every_folder_is_told(tmp_path: Path, bell: Bell) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    paths = [folder / "a.py" for folder in folders]

    with closing(Inotify(folders)) as hints:
        for path in paths:
            path.touch()
        for at in range(most):  # in turn: two that are alike are kept as one
            os.utime(paths[at % 2])

        assert hints.wait(LONG, bell) >= set(folders)
        assert hints.is_deaf  # to whichever was removed meanwhile


def test_a_bell_ends_the_wait_also_when_it_was_rung_before(tmp_path: Path, bell: Bell) -> None:
    began = time.monotonic()

    with closing(Inotify([tmp_path])) as hints:
        bell.ring()
        first = hints.wait(LONG, bell)
        threading.Timer(0.05, bell.ring).start()
        second = hints.wait(LONG, bell)

    assert (first, second) == (frozenset(), frozenset())
    assert time.monotonic() - began < LONG


def test_nothing_is_told_when_nothing_happens(tmp_path: Path, bell: Bell) -> None:
    with closing(Inotify([tmp_path])) as hints:
        assert hints.wait(0.01, bell) == frozenset()
        assert not bell.wait(-1)


def test_a_folder_that_is_not_there_cannot_be_listened_to(tmp_path: Path) -> None:
    with pytest.raises(NoEventsError, match=r"later: No such file"):
        Inotify([tmp_path / "later"])
