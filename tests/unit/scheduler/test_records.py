"""What the records of a journal say, whole ones and damaged ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.clock import moment
from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.engine.journal import parse
from schedulerd.scheduler.records import output_lines, read_records
from schedulerd.scheduler.settlement import LastWord
from tests.builders import NOW

T = 1_795_327_200_000_000
AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def test_a_moment_is_exact_to_the_microsecond() -> None:
    assert moment(T) == AT
    assert moment(T + 1) - moment(T) == timedelta(microseconds=1)


def test_a_start_says_when_and_which_process() -> None:
    said = read_records([{"k": "start", "t": T, "pid": 4711}], now=NOW)

    assert (said.started_at, said.pid) == (AT, 4711)


def test_a_task_that_runs_has_begun_and_not_ended() -> None:
    said = read_records([{"k": "task", "t": T, "n": 2, "name": "load", "s": "running", "up": [1]}], now=NOW)

    expected = TaskRun(number=2, name="load", state=TaskState.RUNNING, started_at=AT, upstream=(1,))
    assert said.tasks == [expected]


def test_a_later_attempt_of_a_task_does_not_begin_it() -> None:
    record = {"k": "task", "t": T, "n": 2, "name": "load", "s": "running", "a": 3}

    (task,) = read_records([record], now=NOW).tasks

    assert (task.attempt, task.started_at) == (3, None)


def test_that_an_attempt_of_a_task_failed_before_another_and_when_that_began_is_told() -> None:
    states = [("running", 1), ("retrying", 1), ("running", 2), ("completed", 2)]
    records = [
        {"k": "task", "t": T + seconds * 1_000_000, "n": 2, "name": "load", "s": state, "a": attempt}
        for seconds, (state, attempt) in enumerate(states)
    ]

    said = read_records(records, now=NOW)

    assert said.attempts == [
        TaskAttempt(number=2, attempt=1, ended_at=AT + timedelta(seconds=1)),
        TaskAttempt(number=2, attempt=2, started_at=AT + timedelta(seconds=2)),
    ]


def test_a_task_that_completed_in_an_earlier_attempt_began_and_ended_there() -> None:
    record = {"k": "task", "t": T, "b": T - 1_000_000, "n": 1, "name": "extract", "s": "completed"}

    (task,) = read_records([record], now=NOW).tasks

    assert (task.started_at, task.ended_at) == (AT - timedelta(seconds=1), AT)


@pytest.mark.parametrize("state", [state for state in TaskState if state not in ("pending", "running")])
def test_a_task_has_ended_unless_it_is_to_run_again(state: TaskState) -> None:
    (task,) = read_records([{"k": "task", "t": T, "n": 1, "name": "a", "s": state}], now=NOW).tasks

    assert task.started_at is None
    assert (task.ended_at is None) == (state is TaskState.RETRYING)


def test_a_task_that_failed_tells_where() -> None:
    failure = {"type": "ValueError", "message": "no\0", "file": "etl.py", "line": 7, "task": "load"}

    (task,) = read_records(
        [{"k": "task", "t": T, "n": 1, "name": "load", "s": "failed", "f": failure, "r": "17", "m": "twice"}],
        now=NOW,
    ).tasks

    assert task.failure == Failure(type="ValueError", message="no␀", file="etl.py", line=7, task="load")
    assert (task.result_preview, task.message) == ("17", "twice")


def test_a_log_line_has_its_level_logger_task_and_stream() -> None:
    said = read_records(
        [{"k": "log", "t": T, "l": 30, "g": "etl", "m": "slow", "n": 2, "s": "stdout"}], now=NOW
    )

    assert said.lines == [
        LogLine(at=AT, level=30, message="slow", stream=Stream.STDOUT, logger="etl", task=2)
    ]


CALLED: dict[str, Any] = {
    "k": "flow",
    "t": T,
    "n": 1_000_001,
    "w": 2,
    "name": "load kr",
    "flow": "load",
    "s": "running",
    "id": "01a21c3f-b559-7784-abfc-436b3f640e24",
    "p": {"region": "kr\0"},
    "g": ["nightly"],
}


def test_a_flow_that_was_called_is_a_child_run_and_the_task_run_that_stands_for_it() -> None:
    said = read_records([CALLED], now=NOW)

    assert said.subflows == [
        Subflow(
            task=1_000_001,
            id=RunId(UUID(CALLED["id"])),
            flow="load",
            name="load kr",
            state=RunState.RUNNING,
            within=2,
            parameters={"region": "kr␀"},
            tags=("nightly",),
            started_at=AT,
        )
    ]
    assert [(one.number, one.within, one.name, one.state) for one in said.tasks] == [
        (1_000_001, 2, "load kr", TaskState.RUNNING)
    ]


def test_the_end_of_a_child_run_says_nothing_of_how_it_began() -> None:
    end = {**CALLED, "s": "failed", "m": "no", "a": 2}
    for name in ("p", "g"):
        del end[name]

    (subflow,) = read_records([end], now=NOW).subflows

    assert (subflow.state, subflow.reason, subflow.attempt) == (RunState.FAILED, "no", 2)
    assert (subflow.started_at, subflow.ended_at, subflow.parameters) == (None, AT, None)


def test_a_call_that_completed_in_an_earlier_attempt_has_no_id() -> None:
    known = {**CALLED, "s": "completed", "c": "- 0 load/", "v": ["preview"], "r": "5"}
    del known["id"]

    (subflow,) = read_records([known], now=NOW).subflows

    assert (subflow.id, subflow.call, subflow.result_preview) == (None, "- 0 load/", "5")


@pytest.mark.parametrize(
    "wrong", [{"s": "skipped"}, {"s": "cached"}, {"id": "7"}, {"p": [1]}, {"flow": None}]
)
def test_a_child_run_that_cannot_be_is_damage(wrong: dict[str, Any]) -> None:
    record = CALLED | wrong
    if wrong.get("flow", "") is None:
        del record["flow"]

    said = read_records([record], now=NOW)

    assert said.subflows == []
    assert "damaged" in said.lines[0].message


def test_only_the_result_of_the_flow_is_the_runs() -> None:
    said = read_records(
        [{"k": "result", "t": T, "v": "42"}, {"k": "result", "t": T, "v": "1", "n": 1}], now=NOW
    )

    assert said.result_preview == "42"


def test_the_end_is_the_last_word() -> None:
    said = read_records(
        [{"k": "end", "t": T, "s": "failed", "m": "no", "f": {"type": "E", "message": "m"}}], now=NOW
    )

    assert said.last_word == LastWord(
        state=RunState.FAILED, message="no", failure=Failure(type="E", message="m")
    )
    assert said.ended_at == AT


def test_a_kind_of_a_later_version_is_passed_over_in_silence() -> None:
    said = read_records([{"k": "hologram", "t": T}, {"k": "start", "t": T, "pid": 1}], now=NOW)

    assert said.lines == []
    assert said.pid == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"k":"log","t":1,"l":20,"m":"cut in the mi',
        b"\xff\xfe\x00not json",
        b"[]",
        b'{"t":1}',
        b'{"k":["log"]}',
        b"[" * 100_000,
        b'{"k":"start","t":1,"pid":' + b"9" * 5_000 + b"}",
        b'{"k":"start","t":1}',
        b'{"k":"start","t":"soon","pid":1}',
        b'{"k":"log","t":1e300,"l":20,"m":"","s":"logging"}',
        b'{"k":"log","t":1,"l":20,"m":"","s":"smoke signals"}',
        b'{"k":"log","t":1,"l":null,"m":"","s":"logging"}',
        b'{"k":"task","t":1,"n":1,"name":"a","s":"happy"}',
        b'{"k":"task","t":1,"n":1,"name":"a","s":["running"]}',
        b'{"k":"task","t":1,"n":Infinity,"name":"a","s":"running"}',
        b'{"k":"end","t":1,"s":"over"}',
    ],
    ids=lambda line: line[:24].decode("latin-1"),
)
def test_a_damaged_line_costs_itself_and_leaves_a_trace(line: bytes) -> None:
    good = b'{"k":"log","t":1,"l":20,"m":"good","s":"logging"}'

    said = read_records(parse((good, line, good)), now=NOW)

    assert [one.message for one in said.lines if one.stream is Stream.LOGGING] == ["good", "good"]
    (trace,) = [one for one in said.lines if one.stream is Stream.SYSTEM]
    assert (trace.at, trace.level) == (NOW, 30)
    assert "damaged" in trace.message
    assert len(trace.message) < 1_000


def test_records_that_found_no_room_are_told_with_how_many_they_were_and_why() -> None:
    torn = b'{"k":"log","t":1,"l":20,"m":"ha\x18'
    lost = b'{"k":"lost","t":1000000,"n":7,"m":"the disk was full"}'

    (line,) = read_records(parse((torn, lost)), now=NOW).lines

    assert line.message == "7 line(s) or other record(s) of the run are missing here: the disk was full"
    assert (line.stream, line.level, line.at) == (Stream.SYSTEM, 30, moment(1_000_000))


def test_what_a_database_cannot_hold_is_replaced_in_all_texts() -> None:
    dirty = "a\0b\ud800c"
    records: list[dict[str, Any]] = [
        {"k": "log", "t": T, "l": 20, "g": dirty, "m": dirty, "s": "stdout"},
        {"k": "task", "t": T, "n": 1, "name": dirty, "s": "failed", "m": dirty, "r": dirty,
         "f": dict.fromkeys(("type", "message", "file", "task", "traceback"), dirty)},
        {"k": "result", "t": T, "v": dirty},
        {"k": "end", "t": T, "s": "failed", "m": dirty},
    ]  # fmt: skip

    said = read_records(parse(tuple(json.dumps(one).encode() for one in records)), now=NOW)

    clean = "a␀b\ufffdc"
    (task,) = said.tasks
    assert (said.lines[0].message, said.lines[0].logger) == (clean, clean)
    assert (task.name, task.message, task.result_preview) == (clean, clean, clean)
    assert task.failure == Failure(type=clean, message=clean, file=clean, task=clean, traceback=clean)
    assert said.result_preview == clean
    assert said.last_word is not None
    assert said.last_word.message == clean


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.fixed_dictionaries(
    {"k": st.sampled_from(["start", "task", "log", "result", "end", "new"])},
    optional=dict.fromkeys(
        ("t", "pid", "n", "name", "s", "a", "i", "up", "m", "f", "r", "l", "g", "v"), JSON
    ),
)


@given(st.lists(RECORDS, max_size=5))
def test_no_record_whatsoever_raises(records: list[dict[str, Any]]) -> None:
    read_records(records, now=NOW)


LARGEST_64 = 2**63 - 1


@pytest.mark.parametrize(
    "record",
    [
        {"k": "start", "t": T, "pid": 10**30},
        {"k": "log", "t": T, "l": 2**70, "m": "high", "s": "logging"},
        {"k": "log", "t": T, "l": 20, "m": "whose?", "s": "logging", "n": {"no": "number"}},
        {"k": "task", "t": T, "n": 10**30, "name": "a", "s": "running"},
        {"k": "task", "t": T, "n": 1, "name": "a", "s": "running", "i": [1]},
        {"k": "end", "t": T, "s": "running"},
    ],
    ids=["pid", "level", "task of a line", "number", "map index", "an end that is none"],
)
def test_a_number_that_no_database_holds_is_damage(record: dict[str, Any]) -> None:
    said = read_records([record], now=NOW)

    assert [one.stream for one in said.lines] == [Stream.SYSTEM]
    assert said.tasks == []
    assert said.pid is None
    assert said.last_word is None


def test_output_lines_keep_what_was_written_as_far_as_it_is_text() -> None:
    lines = output_lines(
        [b"one", b"two\r", b"\xed\x95\x9c\xea\xb8\x80", b"\xff\xfe", b"nul\0", b""], Stream.STDERR, now=NOW
    )

    assert [line.message for line in lines] == ["one", "two", "한글", "\ufffd\ufffd", "nul␀", ""]
    assert {(line.stream, line.level, line.at) for line in lines} == {(Stream.STDERR, 20, NOW)}


def test_a_very_long_line_is_handed_on_in_parts_of_64_ki_characters() -> None:
    lines = output_lines([b"x" * 150_000], Stream.STDOUT, now=NOW)

    assert [len(line.message) for line in lines] == [65_536, 65_536, 18_928]
