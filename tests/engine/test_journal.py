"""The journal: whole lines, also where there was no room for one."""

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from schedulerd.engine.journal import Journal, parse, read_piece


@contextmanager
def a_journal(path: Path) -> Iterator[tuple[Journal, list[bool]]]:
    """A journal and how often it was said that something was written."""
    rung: list[bool] = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    yield Journal(descriptor, wrote=lambda: rung.append(True)), rung
    os.close(descriptor)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond this size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def records(path: Path) -> list[dict[str, Any]]:
    return list(parse(read_piece(path, 0, to_the_end=True).lines))


def a_record(number: int, **more: Any) -> dict[str, Any]:
    return {"k": "log", "n": number, **more}


def test_each_record_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, rung):
        for number in range(3):
            journal.append(a_record(number, m="two\nlines"))

    assert path.read_text().count("\n") == 3
    assert records(path) == [a_record(number, m="two\nlines") for number in range(3)]
    assert len(rung) == 3


def test_what_has_no_json_is_written_as_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, _):
        journal.append(a_record(1, m=Path("/tmp")))

    assert records(path) == [a_record(1, m="PosixPath('/tmp')")]


def test_a_record_that_was_cut_short_costs_itself_only_and_what_was_lost_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, _):
        journal.append(a_record(1))
        with room_for(path.stat().st_size + 10):
            journal.append(a_record(2))
            journal.append(a_record(3))
        journal.append(a_record(4))
        journal.append(a_record(5))

    first, told, *rest = records(path)
    assert first == a_record(1)
    assert (told["k"], told["n"], told["m"]) == ("lost", 2, "File too large")
    assert rest == [a_record(4), a_record(5)]


def test_half_a_record_after_which_nothing_was_written_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, _), room_for(10):
        journal.append(a_record(1))

    assert [one["k"] for one in records(path)] == ["damaged"]


def test_what_was_lost_is_told_once_also_where_only_that_finds_room(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, _):
        with room_for(0):
            journal.append(a_record(1))
        with room_for(150):
            journal.append(a_record(2, m="x" * 1_000))
        journal.append(a_record(3))
        journal.append(a_record(4))

    assert [(one["k"], one["n"]) for one in records(path)] == [
        ("lost", 1),
        ("lost", 1),
        ("log", 3),
        ("log", 4),
    ]


def test_a_journal_without_any_room_raises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with a_journal(path) as (journal, rung), room_for(0):
        journal.append(a_record(1))

    assert records(path) == []
    assert rung == []


def test_a_full_pipe_takes_part_of_a_record_and_raises_nothing() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    journal = Journal(writing, wrote=lambda: None)
    for _ in range(2):
        journal.append(a_record(1, m="x" * 100_000))
    before = os.read(reading, 1 << 20)
    journal.append(a_record(2))
    os.close(writing)
    after = os.read(reading, 1 << 20)
    os.close(reading)

    assert not before.endswith(b"\n")
    end, lost, record = after.splitlines()
    assert end == b"\x18"
    assert json.loads(lost)["n"] == 2
    assert json.loads(record) == a_record(2)


def test_a_piece_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one\ntwo\nthr")

    first = read_piece(path, 0, to_the_end=False)
    assert (first.lines, first.offset, first.more) == ((b"one", b"two"), 8, False)

    last = read_piece(path, first.offset, to_the_end=True)
    assert (last.lines, last.offset) == ((b"thr",), 11)


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n", b"a\n\nb\n"])
def test_empty_lines_are_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)

    piece = read_piece(path, 0, to_the_end=True)

    assert b"".join(line + b"\n" for line in piece.lines) == content
    assert piece.offset == len(content)


def test_a_file_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    piece = read_piece(tmp_path / "nothing", 7, to_the_end=True)

    assert (piece.lines, piece.offset, piece.more) == ((), 7, False)
