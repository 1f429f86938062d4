"""Folders that are used again: nothing of the attempt before is seen, and none that somebody may still reach is taken."""

import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schedulerd.engine.folders import JOURNAL, RUNS, STDERR, STDOUT, Facts, RunFolders, begin, read_request
from schedulerd.engine.notes import (
    Exit,
    Stage,
    Word,
    leave_word,
    read_exit,
    reserve_notes,
    write_exit,
    write_process,
)
from schedulerd.engine.processes import identify

ENDED = Exit(ended_us=7, status=0)
WRITTEN = (JOURNAL, STDOUT, STDERR)


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    made = RunFolders(tmp_path)
    made.make()
    made.sweep()
    return made


def an_attempt(folders: RunFolders, key: str, *, ended: Exit = ENDED) -> Path:
    """The folder of an attempt that ran, wrote, and ended."""
    folders.prepare(key, {"of": key})
    folder = folders.take(key)
    assert folder is not None
    reserve_notes(folder)
    write_process(folder, identify(os.getpid()))
    (folders.runs / key / "reserve").write_bytes(
        bytes(4_096)
    )  # as `Reserve` does in the run's process, which has ended
    assert begin(folder)
    for name in WRITTEN:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600, dir_fd=folder)
        os.write(file, f"{name} of {key}\n".encode())
        os.close(file)
    write_exit(folder, ended)
    os.close(folder)
    return folders.runs / key


def inodes(folder: Path) -> set[int]:
    return {folder.stat().st_ino, *(entry.inode() for entry in os.scandir(folder))}


def test_the_next_attempt_makes_no_file_and_sees_nothing_of_the_one_before(folders: RunFolders) -> None:
    first = an_attempt(folders, "1.1")
    before = inodes(first)
    folders.retire("1.1")
    assert folders.facts("1.1") == Facts()
    assert folders.names() == set()

    folders.prepare("2.1", {"of": "2.1"})

    assert folders.facts("2.1") == Facts(where="ready", stage=Stage.ARMED)
    folder = folders.take("2.1")
    assert folder is not None
    assert read_request(folder) == {"of": "2.1"}
    assert folders.facts("2.1") == Facts(where=RUNS, stage=Stage.ARMED)
    os.close(folder)
    assert all((folders.runs / "2.1" / name).read_bytes() == b"" for name in WRITTEN)
    assert inodes(folders.runs / "2.1") == before


def test_an_attempt_after_another_tells_of_itself_only(folders: RunFolders) -> None:
    an_attempt(folders, "1.1", ended=Exit(ended_us=123_456_789, signal=9, stopped="cancel" * 20))
    folders.retire("1.1")

    second = an_attempt(folders, "2.1")

    assert read_exit(second) == ENDED
    assert [(second / name).read_text() for name in WRITTEN] == [f"{name} of 2.1\n" for name in WRITTEN]
    assert folders.facts("2.1").process == identify(os.getpid())


def test_a_note_of_another_attempt_under_its_name_says_nothing(folders: RunFolders) -> None:
    first = an_attempt(folders, "1.1", ended=Exit(ended_us=1, status=0))
    notes = {name: (first / name).read_bytes() for name in ("pid", "exit.json")}
    folders.retire("1.1")
    second = an_attempt(folders, "2.1", ended=Exit(ended_us=2, status=1))

    for (
        name,
        content,
    ) in notes.items():  # as after a loss of power: its name was on the disk before its content
        (second / name).write_bytes(content)

    assert (folders.facts("2.1").process, folders.facts("2.1").exit) == (None, None)


def test_who_opens_a_file_in_the_moment_in_which_it_is_freed_ends_nobody(folders: RunFolders) -> None:
    program = """
import os, sys
while True:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            try:
                open(os.path.join(folder, name), "rb").close()
            except OSError:
                pass
"""
    with subprocess.Popen([sys.executable, "-c", program, str(folders.runs.parent)]) as other:
        for number in range(300):
            an_attempt(folders, f"{number}.1")
            folders.retire(f"{number}.1")
        other.kill()

    assert folders.names() == set()


@pytest.mark.parametrize("word", Word)
def test_the_word_that_ended_an_attempt_is_not_left_for_the_next(folders: RunFolders, word: Word) -> None:
    first = an_attempt(folders, "1.1")
    folder = os.open(first, os.O_RDONLY)
    leave_word(folder, word)
    os.close(folder)
    folders.retire("1.1")
    assert os.listdir(folders.runs.parent / "spent") != []

    an_attempt(folders, "2.1")

    assert folders.facts("2.1").word is None
    assert os.listdir(folders.runs.parent / "spent") == []  # it was used again


@contextmanager
def open_elsewhere(path: Path) -> Iterator[None]:
    program = "import sys; file = open(sys.argv[1], 'ab'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        assert other.stdin is not None
        other.stdin.close()


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    with open(path, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    yield
    memory.close()


@contextmanager
def with_a_second_name(path: Path) -> Iterator[None]:
    os.link(path, path.parent.parent.parent / "kept-by-somebody")
    yield


@contextmanager
def made_a_link(path: Path) -> Iterator[None]:
    path.unlink()
    path.symlink_to("/etc/hostname")
    yield


@contextmanager
def beside_a_stranger(path: Path) -> Iterator[None]:
    (path.parent / "mine.txt").touch()
    yield


@contextmanager
def of_another_user(path: Path) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 65534, -1)
    yield


@pytest.mark.parametrize("name", [*WRITTEN, "reserve", "started"])
@pytest.mark.parametrize(
    "held", [open_elsewhere, mapped, with_a_second_name, made_a_link, beside_a_stranger, of_another_user]
)
def test_what_somebody_may_still_reach_is_deleted(folders: RunFolders, held: Callable, name: str) -> None:  # type: ignore[type-arg]
    first = an_attempt(folders, "1.1")
    with held(first / name):
        folders.retire("1.1")
        assert folders.names() == set()

        folders.prepare("2.1", {})

        assert sorted(os.listdir(folders.ready / "2.1")) == ["armed"]


@pytest.mark.parametrize(
    "ended",
    [
        Exit(ended_us=1),
        Exit(ended_us=1, status=0, left=1),
        Exit(ended_us=1, status=0, seen_off=False),
    ],
    ids=["nobody waited for it", "left processes", "not seen off"],
)
def test_what_may_not_be_over_is_deleted(folders: RunFolders, ended: Exit) -> None:
    an_attempt(folders, "1.1", ended=ended)
    folders.retire("1.1")

    folders.prepare("2.1", {})

    assert sorted(os.listdir(folders.ready / "2.1")) == ["armed"]


def test_what_never_began_is_deleted(folders: RunFolders) -> None:
    folders.prepare("1.1", {})
    folder = folders.take("1.1")
    assert folder is not None
    write_exit(folder, ENDED)
    os.close(folder)
    folders.retire("1.1")

    folders.prepare("2.1", {})

    assert sorted(os.listdir(folders.ready / "2.1")) == ["armed"]


def test_only_so_many_are_kept(folders: RunFolders) -> None:
    for number in range(100):
        an_attempt(folders, f"{number}.1")
    for number in range(100):
        folders.retire(f"{number}.1")

    assert len(os.listdir(folders.runs.parent / "spent")) == 64
    assert folders.names() == set()


def test_a_start_begins_without_what_an_earlier_process_kept(folders: RunFolders) -> None:
    an_attempt(folders, "1.1")
    folders.retire("1.1")
    later = RunFolders(folders.runs.parent)
    later.make()

    later.sweep()

    assert os.listdir(folders.runs.parent / "spent") == []


def test_one_that_was_tidied_away_is_missed_by_nobody(folders: RunFolders) -> None:
    an_attempt(folders, "1.1")
    folders.retire("1.1")
    (folders.runs.parent / "spent").rename(folders.runs.parent / "elsewhere")

    folders.prepare("2.1", {"n": 2})

    assert folders.facts("2.1").stage is Stage.ARMED
    an_attempt(folders, "3.1")
    folders.retire("3.1")
    assert folders.facts("3.1") == Facts()
