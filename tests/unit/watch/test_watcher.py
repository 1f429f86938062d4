"""The watcher with real files: what people and editors do to a folder, and what is posted."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.watch.hints import Hints, Inotify, NoEventsError
from schedulerd.watch.watcher import Rhythm, Watcher
from tests.unit.watch.scenes import QUICK, Posted, flows, names, schedules, write_and_rename
from tests.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder


def no_events(folders: Sequence[Path]) -> Hints:
    raise NoEventsError("no inotify instance left")


def quiet_for(posted: Posted, seconds: float) -> bool:
    """Is nothing posted for a while? (Waits that while.)"""
    known = len(posted.changes)
    threading.Event().wait(seconds)
    return len(posted.changes) == known


def test_the_first_post_is_the_whole_of_what_is_there(folder: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text("")
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "b.toml").write_text("")

    with Posted(flows(folder), schedules(tmp_path / "schedules")) as posted:
        (first,) = posted.changes

    assert (first.first, names(first)) == (True, (["a.py", "b.toml"], []))


def test_a_dropped_file_is_posted_within_two_seconds(folder: Path) -> None:
    with Posted(flows(folder), rhythm=Rhythm()) as posted:
        started = time.monotonic()
        change = posted.after(lambda: (folder / "a.py").write_text("x"))
        took = time.monotonic() - started

    assert names(change) == (["a.py"], [])
    assert Rhythm().settle <= took < Rhythm().rescan


def test_where_a_look_takes_long_there_are_fewer() -> None:
    pauses = [Rhythm().rescan_after(took) for took in (0.0, 0.01, 0.05, 0.1, 5.0)]

    assert pauses == [10.0, 10.0, 25.0, 50.0, 60.0]


def test_without_events_a_dropped_file_is_found_by_looking(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING, logger="schedulerd.watch"),
        Posted(flows(folder), listen=no_events) as posted,
    ):
        change = posted.after(lambda: (folder / "a.py").write_text("x"))
        quiet_for(posted, 2 * QUICK.retry_events)

    assert names(change) == (["a.py"], [])
    assert [record.message for record in caplog.records] == [
        "watching_without_events"
    ]  # said once, not each time


def test_events_that_are_back_are_used_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[Sequence[Path]] = []

    def later(folders: Sequence[Path]) -> Hints:
        tries.append(folders)
        return no_events(folders) if len(tries) == 1 else Inotify(folders)

    with (
        caplog.at_level(logging.INFO, logger="schedulerd.watch"),
        Posted(flows(folder), listen=later) as posted,
    ):
        eventually(lambda: "watching_with_events_again" in caplog.messages)
        change = posted.after(lambda: (folder / "a.py").write_text("x"))

    assert names(change) == (["a.py"], [])


def test_an_editors_write_and_rename_counts_once(folder: Path) -> None:
    path = folder / "a.py"
    path.write_text("one")

    with Posted(flows(folder)) as posted:
        change = posted.after(lambda: write_and_rename(path, "two"))
        assert quiet_for(posted, 0.4)

    assert names(change) == (["a.py"], [])


def test_a_half_written_file_is_posted_when_it_is_whole(folder: Path) -> None:
    path = folder / "a.py"
    rhythm = Rhythm(settle=0.6)

    with Posted(flows(folder), rhythm=rhythm) as posted, path.open("w") as stream:
        for piece in range(6):  # for longer than a change has to rest
            stream.write(f"# {piece}\n")
            stream.flush()
            threading.Event().wait(rhythm.settle / 4)
        stream.write("done = True\n")
        change = posted.after(stream.flush)
        assert quiet_for(posted, 0.4)

    assert len(posted.changes) == 2
    assert change.changed[0].stamp[2] == path.stat().st_size


def test_a_file_that_is_renamed_is_removed_and_new(folder: Path) -> None:
    (folder / "a.py").write_text("x")

    with Posted(flows(folder)) as posted:
        change = posted.after(lambda: (folder / "a.py").rename(folder / "b.py"))

    assert names(change) == (["b.py"], ["a.py"])


def test_a_touched_file_is_not_posted(folder: Path) -> None:
    (folder / "a.py").write_text("x")

    with Posted(flows(folder)) as posted:
        (folder / "a.py").touch()
        (folder / "notes.txt").write_text("x")

        assert quiet_for(posted, 0.5)


def test_a_changed_module_in_a_new_package_is_posted(folder: Path) -> None:
    with Posted(flows(folder)) as posted:

        def make() -> None:
            (folder / "lib" / "deep").mkdir(parents=True)
            (folder / "lib" / "deep" / "rows.py").write_text("one")

        made = posted.after(make)
        changed = posted.after(lambda: (folder / "lib" / "deep" / "rows.py").write_text("two"))

    assert names(made) == (["rows.py"], [])
    assert (names(changed), changed.changed[0].role) == ((["rows.py"], []), "module")


def test_a_folder_that_is_made_later_is_noticed(tmp_path: Path) -> None:
    later = tmp_path / "not" / "yet"

    with Posted(flows(later)) as posted:
        assert [problem.reason for problem in posted.changes[0].problems] == ["there is no such folder"]

        later.mkdir(parents=True)
        change = posted.after(lambda: (later / "a.py").write_text("x"))
        change = change if change.files else posted.after(lambda: None)

    assert (names(change), change.problems) == ((["a.py"], []), ())


def test_a_folder_that_is_made_while_it_is_waited_for_is_noticed_at_once(tmp_path: Path) -> None:
    later = tmp_path / "not" / "yet"

    with Posted(flows(later)) as posted:
        assert quiet_for(posted, 0.2)

        change = posted.after(lambda: later.mkdir(parents=True))

    assert change.problems == ()


def test_a_folder_that_is_away_keeps_its_files_and_what_has_gone_from_it_goes_when_it_is_back(
    folder: Path,
) -> None:
    for name in ("a.py", "b.py"):
        (folder / name).write_text("x")
    away = folder.with_name("away")

    with Posted(flows(folder)) as posted:
        gone = posted.after(lambda: folder.rename(away))
        (away / "b.py").unlink()
        back = posted.after(lambda: away.rename(folder))

    assert names(gone) == ([], [])
    assert gone.withheld == {folder}
    assert [problem.reason for problem in gone.problems] == ["there is no such folder"]
    assert names(back) == ([], ["b.py"])
    assert (back.withheld, back.problems) == (frozenset(), ())


@pytest.mark.parametrize("below", ["", "lib"], ids=["itself", "a folder in it"])
def test_a_folder_that_is_deleted_and_made_anew_at_once_is_heard_again(folder: Path, below: str) -> None:
    # as `rm -rf flows; cp -r` deploys: the new one has the inode of the old one on ext4, and the kernel hears it no more
    anew = folder / below
    anew.mkdir(exist_ok=True)
    (anew / "a.py").write_text("x")

    def make_anew() -> None:
        shutil.rmtree(anew)
        anew.mkdir()
        (anew / "b.py").write_text("x")

    with Posted(flows(folder)) as posted:
        made = posted.after(make_anew)
        later = posted.after(lambda: (anew / "c.py").write_text("x"))

    assert names(made) == (["b.py"], ["a.py"])
    assert names(later) == (["c.py"], [])


def test_a_folder_that_is_swapped_for_another_is_noticed_and_watched_on(folder: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text("old")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("new")
    (other / "b.py").write_text("new")

    def swap() -> None:
        folder.rename(tmp_path / "away")
        other.rename(folder)

    with Posted(flows(folder)) as posted:
        swapped = posted.after(swap)
        later = posted.after(lambda: (folder / "a.py").write_text("newer"))

    assert names(swapped) == (["a.py", "b.py"], [])
    assert names(later) == (["a.py"], [])


@pytest.mark.parametrize("link", ["current", "current/flows"], ids=["the folder", "above it"])
def test_a_symlink_that_is_swapped_is_noticed_and_watched_on(tmp_path: Path, link: str) -> None:
    # releases/1 and releases/2 with current -> releases/1, as deployments do
    for release in ("1", "2"):
        (tmp_path / "releases" / release / "flows").mkdir(parents=True)
        (tmp_path / "releases" / release / "flows" / "a.py").write_text(release)
    target = "" if "/" in link else "/flows"
    (tmp_path / "current").symlink_to(f"releases/1{target}")

    def swap() -> None:
        (tmp_path / "next").symlink_to(f"releases/2{target}")
        os.replace(tmp_path / "next", tmp_path / "current")

    with Posted(flows(tmp_path / link)) as posted:
        swapped = posted.after(swap)
        later = posted.after(lambda: (tmp_path / "releases/2/flows/a.py").write_text("3"))

    assert names(swapped) == (["a.py"], [])
    assert names(later) == (["a.py"], [])


def test_a_checkout_of_a_thousand_files_is_posted_whole(folder: Path) -> None:
    with Posted(flows(folder), rhythm=Rhythm()) as posted:
        for number in range(1_000):
            (folder / f"f{number}.py").write_text(str(number))
        eventually(lambda: len(posted.changes[-1].files) == 1_000, within=20.0)

    assert sum(len(change.changed) for change in posted.changes) == 1_000
    assert len(posted.changes) < 10


def test_when_asked_it_tells_the_whole_again(folder: Path) -> None:
    (folder / "a.py").write_text("x")

    with Posted(flows(folder)) as posted:
        again = posted.after(posted.watcher.tell_again)

    assert (again.first, names(again)) == (True, (["a.py"], []))


def test_it_can_be_started_and_stopped_twice_and_in_any_order(folder: Path) -> None:
    posted = Posted(flows(folder))
    watcher = posted.watcher

    watcher.stop()
    watcher.tell_again()
    watcher.start()
    watcher.start()
    assert sum(thread.name == "watcher" for thread in threading.enumerate()) == 1
    watcher.stop()
    watcher.stop()
    assert all(thread.name != "watcher" for thread in threading.enumerate())

    with posted:
        change = posted.after(lambda: (folder / "a.py").write_text("x"))
    assert names(change) == (["a.py"], [])


def test_it_knows_whether_it_watches(folder: Path) -> None:
    with Posted(flows(folder)) as posted:
        during = posted.watcher.is_watching

    assert (during, posted.watcher.is_watching) == (True, False)


def test_it_stops_soon(folder: Path) -> None:
    watcher = Watcher([flows(folder)], lambda change: None, SystemClock())
    watcher.start()

    started = time.monotonic()
    watcher.stop()

    assert time.monotonic() - started < Rhythm().rescan
