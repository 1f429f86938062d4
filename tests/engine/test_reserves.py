"""What is kept in a run's folder for a full disk: which process runs it, how it ended, and what it came to."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schedulerd.engine.folders import RunFolders
from schedulerd.engine.journal import Journal
from schedulerd.engine.keeper import keep
from schedulerd.engine.notes import Exit, Reserve, read_exit, reserve_notes, write_exit, write_process
from schedulerd.engine.processes import identify
from tests.small_disk import SmallDisk, small_disk

ENDED = Exit(ended_us=1, status=3, cpu_ms=10, max_rss_bytes=1 << 40, stopped="timeout", left=7)


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk() as disk:
        yield disk


@pytest.fixture
def folder(disk: SmallDisk) -> Iterator[int]:
    """An open folder of an attempt, taken."""
    folders = RunFolders(disk.path)
    folders.make()
    folders.prepare("run.1", {})
    taken = folders.take("run.1")
    assert taken is not None
    yield taken
    os.close(taken)


def test_with_room_in_reserve_a_full_disk_hides_neither_the_process_nor_its_end(
    disk: SmallDisk, folder: int
) -> None:
    reserve_notes(folder)
    disk.fill()

    write_process(folder, identify(os.getpid()), identify(os.getppid()))
    write_exit(folder, ENDED)

    facts = RunFolders(disk.path).facts("run.1")
    assert facts.process == identify(os.getpid())
    assert facts.exit == ENDED


def test_with_room_in_reserve_a_command_starts_on_a_full_disk_and_its_end_is_told(
    disk: SmallDisk, folder: int, tmp_path: Path
) -> None:
    reserve_notes(folder, has_keeper=True)
    journal = _journal(folder, Reserve(folder))
    disk.fill()
    write_process(folder, identify(os.getpid()))

    status = _kept(
        lambda: os.write(os.open(tmp_path / "ran", os.O_CREAT | os.O_WRONLY), b"x"), folder, journal
    )

    assert status == 1
    assert (tmp_path / "ran").exists()
    assert RunFolders(disk.path).facts("run.1").parents[0] != identify(os.getpid())


def test_a_command_that_cannot_be_started_is_no_exit_status_of_its(disk: SmallDisk, folder: int) -> None:
    journal = _journal(folder, Reserve(folder))
    write_process(folder, identify(os.getpid()))
    disk.fill()

    status = _kept(lambda: 0, folder, journal)

    lines = (disk.path / "runs" / "run.1" / "journal.jsonl").read_text()
    assert status == 70
    assert '"s":"crashed","m":"could not be started: [Errno 28] No space left on device' in lines


def _kept(command: Callable[[], int], folder: int, journal: Journal) -> int:
    """What `keep` returns, in a process of its own, as it forks."""
    pid = os.fork()
    if pid == 0:
        status = 99
        with contextlib.suppress(BaseException):
            status = keep(command, folder, journal, spawner=identify(os.getppid()))
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_without_a_reserve_nothing_half_is_seen(disk: SmallDisk, folder: int) -> None:
    disk.fill()

    with pytest.raises(OSError, match="No space left"):
        write_exit(folder, ENDED)

    assert read_exit(disk.path / "runs" / "run.1") is None


def test_a_disk_that_has_no_room_for_the_notes_is_told_before_anything_is_started(
    disk: SmallDisk, folder: int
) -> None:
    disk.fill()

    with pytest.raises(OSError, match="No space left"):
        reserve_notes(folder)


def test_the_last_record_of_a_journal_has_room_where_others_have_none(disk: SmallDisk, folder: int) -> None:
    journal = _journal(folder, Reserve(folder))
    journal.append({"k": "log", "m": "x" * 4_000})
    disk.fill()

    journal.append({"k": "log", "m": "is lost" * 1_000})
    journal.append({"k": "end", "m": "y" * 1_000})

    lines = (disk.path / "runs" / "run.1" / "journal.jsonl").read_text().splitlines()
    os.close(journal._descriptor)
    assert lines[-2] == '{"k":"end","m":"' + "y" * 1_000 + '"}'
    assert '"n":1,"m":"the disk was full"' in lines[-1]


def _journal(folder: int, reserve: Reserve) -> Journal:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open("journal.jsonl", flags, 0o600, dir_fd=folder)
    return Journal(descriptor, wrote=lambda: None, make_room=reserve.give_up)


def test_a_reserve_for_which_there_was_no_room_is_no_trouble(disk: SmallDisk, folder: int) -> None:
    disk.fill()

    Reserve(folder).give_up()


def test_an_end_is_noted_where_nothing_was_reserved(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)

    write_exit(descriptor, ENDED)
    os.close(descriptor)

    assert read_exit(tmp_path) == ENDED
