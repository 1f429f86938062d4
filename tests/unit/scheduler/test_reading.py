"""Reading what a run wrote: real files, from an offset on, and the settling once all is read."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from schedulerd.clock import moment
from schedulerd.domain.flows import FlowKind
from schedulerd.domain.logs import Stream
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.engine.notes import Exit, Stage, write_exit, write_process
from schedulerd.engine.processes import ProcessId
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.reading import Reading, read_attempt
from tests.builders import NOW, a_run
from tests.fakes import ENDED_US

T = 1_795_327_200_000_000
START = {"k": "start", "t": T, "pid": 4711}
END = {"k": "end", "t": T + 5, "s": "completed", "m": "all done"}
MEBIBYTE = 1 << 20


def an_attempt(**changes: Any) -> Attempt:
    kind = changes.pop("kind", FlowKind.PYTHON)
    attempt = Attempt.of(a_run(state=RunState.PENDING, attempt=1), kind=kind, timeout=None)
    return replace(attempt, **changes)


def a_log(message: str) -> dict[str, Any]:
    return {"k": "log", "t": T, "l": 20, "g": "", "m": message, "s": "logging"}


def write(folder: Path, *records: dict[str, Any], name: str = "journal.jsonl") -> None:
    with open(folder / name, "a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def leave_exit(path: Path, **values: Any) -> None:
    folder = os.open(path, os.O_RDONLY)
    write_exit(folder, Exit(ended_us=ENDED_US, **values))
    os.close(folder)


def read(attempt: Attempt, path: Path, *, max_log: int = 10**9) -> Reading:
    """Read, and take it as committed."""
    reading = read_attempt(attempt, path, now=NOW, max_log=max_log)
    attempt.position, attempt.state = reading.position, reading.state
    attempt.last_word = reading.last_word
    return reading


def messages(reading: Reading) -> list[str]:
    return [line.message for line in reading.intake.lines] if reading.intake else []


def moved(reading: Reading) -> list[RunState]:
    return [move.to for move in reading.intake.moves] if reading.intake else []


def test_an_attempt_without_files_has_nothing_to_say(tmp_path: Path) -> None:
    reading = read(an_attempt(), tmp_path / "nothing")

    assert reading.intake is None
    assert not reading.settled


def test_a_run_runs_from_its_first_record_on(tmp_path: Path) -> None:
    write(tmp_path, START)

    reading = read(an_attempt(), tmp_path)

    assert moved(reading) == [RunState.RUNNING]
    assert reading.intake is not None
    assert reading.intake.pid == 4711
    assert (reading.intake.was, reading.intake.now) == (Position(), reading.position)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, START)
    attempt = an_attempt()

    read_attempt(attempt, tmp_path, now=NOW, max_log=10**9)

    assert attempt == an_attempt()


def test_each_record_is_read_once(tmp_path: Path) -> None:
    attempt = an_attempt()
    write(tmp_path, START, a_log("one"))
    first = read(attempt, tmp_path)
    write(tmp_path, a_log("two"))

    assert messages(first) == ["one"]
    assert messages(read(attempt, tmp_path)) == ["two"]
    assert read(attempt, tmp_path).intake is None


def test_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    attempt = an_attempt()
    whole = json.dumps(a_log("whole")).encode() + b"\n"
    (tmp_path / "journal.jsonl").write_bytes(whole[:20])
    first = read(attempt, tmp_path)
    (tmp_path / "journal.jsonl").write_bytes(whole)

    assert first.intake is None
    assert messages(read(attempt, tmp_path)) == ["whole"]


def test_an_unfinished_line_of_a_dead_run_is_judged(tmp_path: Path) -> None:
    write(tmp_path, START)
    with open(tmp_path / "journal.jsonl", "a") as file:
        file.write('{"k":"log","t":17')
    (tmp_path / "stdout.log").write_text("last words, no newline")
    leave_exit(tmp_path, signal=9)

    reading = read(an_attempt(dead=True), tmp_path)

    damage, words = messages(reading)
    assert "damaged" in damage
    assert words == "last words, no newline"
    assert moved(reading) == [RunState.RUNNING, RunState.CRASHED]


def test_output_files_are_lines_of_their_streams_in_order(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_text("out 1\nout 2\n")
    (tmp_path / "stderr.log").write_bytes(b"err \xff\n")

    reading = read(an_attempt(), tmp_path)

    assert reading.intake is not None
    assert [(line.stream, line.message) for line in reading.intake.lines] == [
        (Stream.STDOUT, "out 1"),
        (Stream.STDOUT, "out 2"),
        (Stream.STDERR, "err \ufffd"),
    ]


def test_a_dead_run_is_settled_by_its_last_word_with_what_its_spawner_measured(tmp_path: Path) -> None:
    write(tmp_path, START, END)
    leave_exit(tmp_path, status=0, cpu_ms=12, max_rss_bytes=4096)

    reading = read(an_attempt(dead=True), tmp_path)

    assert reading.settled
    assert moved(reading) == [RunState.RUNNING, RunState.COMPLETED]
    assert reading.intake is not None
    assert (reading.intake.cpu_ms, reading.intake.max_rss_bytes) == (12, 4096)
    assert reading.intake.ended_at == NOW + timedelta(seconds=1)


def test_a_last_word_alone_settles_nothing(tmp_path: Path) -> None:
    write(tmp_path, START, END)

    reading = read(an_attempt(), tmp_path)

    assert not reading.settled
    assert reading.state is RunState.RUNNING


def test_a_last_word_that_was_read_before_the_end_counts_at_the_end(tmp_path: Path) -> None:
    attempt = an_attempt()
    write(tmp_path, START, END)
    read(attempt, tmp_path)
    leave_exit(tmp_path, status=0)
    attempt.dead = True

    assert read(attempt, tmp_path).state is RunState.COMPLETED


def test_a_last_word_that_an_earlier_daemon_recorded_counts_at_the_end(tmp_path: Path) -> None:
    before = an_attempt()
    write(tmp_path, START, END)
    read(before, tmp_path)
    leave_exit(tmp_path, status=0)
    recorded = a_run(state=RunState.RUNNING, attempt=1, position=before.position)

    after = replace(Attempt.of(recorded, kind=FlowKind.PYTHON, timeout=None), dead=True)

    assert read(after, tmp_path).state is RunState.COMPLETED


def test_a_dead_run_is_settled_only_when_all_of_it_is_read(tmp_path: Path) -> None:
    attempt = an_attempt(dead=True)
    line = json.dumps(a_log("x" * 1_000))
    count = 2_500
    with open(tmp_path / "journal.jsonl", "w") as file:
        file.writelines(line + "\n" for _ in range(count))
    write(tmp_path, END)
    leave_exit(tmp_path, status=0)

    readings = [read(attempt, tmp_path)]
    while not readings[-1].settled:
        assert readings[-1].more
        readings.append(read(attempt, tmp_path))

    assert len(readings) == 3
    assert sum(len(messages(reading)) for reading in readings) == count
    assert readings[-1].state is RunState.COMPLETED
    assert all(reading.position.journal <= (number + 1) * MEBIBYTE for number, reading in enumerate(readings))


def test_a_line_of_a_mebibyte_is_handed_on_in_parts_and_whole(tmp_path: Path) -> None:
    attempt = an_attempt(dead=True)
    text = "".join(f"{number:07}," for number in range(MEBIBYTE // 4))  # two mebibytes, no newline
    (tmp_path / "stdout.log").write_text(f"before\n{text}\nafter\n")

    readings = [read(attempt, tmp_path)]
    while not readings[-1].settled:
        readings.append(read(attempt, tmp_path))

    parts = [message for reading in readings for message in messages(reading)]
    assert parts[0] == "before"
    assert parts[-1] == "after"
    is_whole = "".join(parts[1:-1]) == text
    assert is_whole
    assert max(len(part) for part in parts) <= 65_536


def test_a_long_line_of_a_living_run_does_not_wait_for_its_newline(tmp_path: Path) -> None:
    attempt = an_attempt()
    (tmp_path / "stdout.log").write_text("x" * 70_000)

    assert "".join(messages(read(attempt, tmp_path))) == "x" * 70_000


def test_a_long_line_of_korean_loses_no_letter_where_it_is_cut(tmp_path: Path) -> None:
    attempt = an_attempt(dead=True)
    text = "가" * (MEBIBYTE // 2)
    (tmp_path / "stdout.log").write_text(".." + text + "\n")

    readings = [read(attempt, tmp_path)]
    while not readings[-1].settled:
        readings.append(read(attempt, tmp_path))

    whole = "".join(message for reading in readings for message in messages(reading)) == ".." + text
    assert whole


def test_a_reading_holds_a_bounded_number_of_lines(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_bytes(b"y\n" * (MEBIBYTE // 2))

    count = len(messages(read(an_attempt(), tmp_path)))

    assert count <= 20_000


def test_a_file_shorter_than_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path, START, a_log("again?"))

    reading = read(an_attempt(position=Position(journal=10_000)), tmp_path)

    assert reading.intake is None
    assert reading.position == Position(journal=10_000)


def test_what_a_run_left_behind_is_noted_in_its_log(tmp_path: Path) -> None:
    write(tmp_path, START, END)
    leave_exit(tmp_path, status=0, left=2)

    reading = read(an_attempt(dead=True), tmp_path)

    assert "left 2 process(es)" in messages(reading)[-1]


def test_a_command_that_never_wrote_its_first_record_still_went_by_running(tmp_path: Path) -> None:
    leave_exit(tmp_path, status=0)

    reading = read(an_attempt(dead=True, kind=FlowKind.COMMAND), tmp_path)

    assert moved(reading) == [RunState.RUNNING, RunState.COMPLETED]


def test_a_run_that_is_cancelled_before_its_first_record_goes_straight_to_cancelled(tmp_path: Path) -> None:
    write(tmp_path, START)
    leave_exit(tmp_path, signal=15, stopped="cancel")

    reading = read(an_attempt(dead=True, state=RunState.CANCELLING), tmp_path)

    assert moved(reading) == [RunState.CANCELLED]


def test_attempts_are_found_by_their_folder_and_may_be_removed_while_they_are_gone_through() -> None:
    attempts, attempt = Attempts(), an_attempt()
    attempts.add(attempt)

    assert attempts.get(attempt.folder) is attempt
    for one in attempts:
        attempts.remove(one)
    assert len(attempts) == 0
    assert attempts.get(attempt.folder) is None


# -- logs that are full -------------------------------------------------------------------------------------------


def test_of_a_run_that_writes_too_much_no_further_lines_are_kept_and_the_log_says_so_once(
    tmp_path: Path,
) -> None:
    attempt = an_attempt()
    write(tmp_path, START, a_log("a" * 1_000), a_log("b" * 1_000))
    first = read(attempt, tmp_path, max_log=2_000)
    write(tmp_path, a_log("c"), {"k": "task", "t": T, "n": 1, "name": "load", "s": "running"}, {"k": 7})
    (tmp_path / "stdout.log").write_text("d\n")
    second = read(attempt, tmp_path, max_log=2_000)

    assert messages(first)[-1] == "the log is full: more than 2 KB are not kept"
    assert len(messages(first)) == 3
    assert messages(second) == []
    assert second.intake is not None
    assert [task.name for task in second.intake.tasks] == ["load"]
    assert second.position.stdout == 2


def test_a_full_log_says_at_the_end_how_much_it_lacks_and_the_run_ends_as_it_did(tmp_path: Path) -> None:
    attempt = an_attempt()
    write(tmp_path, START)
    (tmp_path / "stderr.log").write_text("a" * 5_000 + "\n")
    read(attempt, tmp_path, max_log=2_000)
    (tmp_path / "stderr.log").write_text("a" * 5_000_000 + "\n")
    write(tmp_path, END)
    attempt.dead = True

    reading = read(attempt, tmp_path, max_log=2_000)

    assert reading.settled
    assert reading.state is RunState.COMPLETED
    assert messages(reading) == ["the log was full: about 5 MB were not kept"]


def test_a_log_that_is_not_full_says_nothing_of_it(tmp_path: Path) -> None:
    attempt = an_attempt(dead=True)
    write(tmp_path, START, a_log("one"), END)

    assert messages(read(attempt, tmp_path, max_log=10_000)) == ["one"]


def test_a_run_whose_first_record_was_lost_began_when_its_process_noted_itself(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    write_process(folder, ProcessId(pid=4711, start_time=1, boot_id="boot"))
    os.close(folder)
    (tmp_path / Stage.STARTED).touch()
    began_us = ENDED_US - 2_000_000
    os.utime(tmp_path / "pid", ns=(began_us * 1_000, began_us * 1_000))
    leave_exit(tmp_path, signal=9, stopped="timeout")

    reading = read(an_attempt(dead=True), tmp_path)

    assert reading.intake is not None
    assert [(move.to, move.at) for move in reading.intake.moves] == [
        (RunState.RUNNING, moment(began_us)),
        (RunState.TIMED_OUT, moment(ENDED_US)),
    ]
    assert reading.intake.started_at == moment(began_us)
