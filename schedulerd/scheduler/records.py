"""Journal records as values: what they say of a run's state, tasks, lines and result. Pure.

A record of a kind or shape that this version does not know costs itself and nothing else.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schedulerd.clock import moment
from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.questions import Question
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.states import ENDED, FINAL, UNFINISHED_TASKS, RunState, TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.domain.told import Artifact, ArtifactKind, Event, check_key
from schedulerd.engine.inspection import failure_from_json
from schedulerd.engine.journal import Record, clean
from schedulerd.errors import BadParameters
from schedulerd.scheduler.settlement import LastWord, word_of_keeper

# A name in the folder of the run, or a whole place: whoever reads it sees to it that it is one of the run's.
_FILE: Final = re.compile(
    r"[0-9a-f]{0,64}|(?:/|[a-z][a-z0-9+.-]*://)[^\x00-\x1f\ud800-\udfff]{0,1000}/[0-9a-f-]{36}/[0-9a-f]{32}"
)
_QUESTION_ID: Final = re.compile(r"[0-9.]{1,32}")
_QUESTION_KIND: Final = re.compile(r"[a-z_.]{1,32}")
_DOOR: Final = re.compile(r"(answers\.[0-9.]{1,24}\.sock)?")
_LONGEST: Final = 64 * 1024
_WARNING: Final = 30
_HIGHEST_LEVEL: Final = 32_767
_MOST_KEY: Final = 2**31 - 1


@dataclass(kw_only=True, slots=True)
class Said:
    """What a stretch of a journal says."""

    started_at: datetime | None = None
    pid: int | None = None
    tasks: list[TaskRun] = field(default_factory=list)
    attempts: list[TaskAttempt] = field(default_factory=list)
    subflows: list[Subflow] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    result_preview: str | None = None
    result_kept: ResultKind | None = None
    results: list[Result] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    last_word: LastWord | None = None
    ended_at: datetime | None = None


def read_records(records: Iterable[Record], *, now: datetime) -> Said:
    """What these records say; `now` is for those that carry no time of their own."""
    said = Said()
    for record in records:
        try:
            _KINDS.get(record["k"], _unknown)(said, record)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, BadParameters) as error:
            said.lines.append(_remark(f"a record of the journal is damaged ({error!r})", now))
    return said


def _start(said: Said, record: Record) -> None:
    said.started_at = moment(record["t"])
    said.pid = _number(record["pid"], most=_MOST_KEY)


def _task(said: Said, record: Record) -> None:
    result = None if record.get("v") is None else _kept(record["v"], call=clean(str(record["c"])))
    if result is not None:
        said.results.append(result)
    task = _task_run(record, result)
    said.tasks.append(task)
    if (attempt := _attempt(task, moment(record["t"]))) is not None:
        said.attempts.append(attempt)


def _flow(said: Said, record: Record) -> None:
    """A record of a child run is one of the task run that stands for it, too."""
    _task(said, record)
    task = said.tasks[-1]
    state = _child_state(task.state)
    said.subflows.append(
        Subflow(
            task=task.number,
            id=None if record.get("id") is None else RunId(UUID(record["id"])),
            flow=clean(str(record["flow"])),
            name=task.name,
            state=state,
            within=task.within,
            attempt=task.attempt,
            reason=task.message,
            parameters=_cleaned(_object(record.get("p") or {})) if state not in FINAL else None,
            tags=tuple(clean(str(tag)) for tag in record.get("g") or ()),
            started_at=task.started_at,
            ended_at=task.ended_at,
            failure=task.failure,
            result_preview=task.result_preview,
            call=task.call,
            kept=task.kept,
        )
    )


def _child_state(state: TaskState) -> RunState:
    found = RunState(state.value)
    if found is not RunState.RUNNING and found not in ENDED:
        raise ValueError(f"no child run is {found}")
    return found


def _task_run(record: Record, result: Result | None) -> TaskRun:
    state, at = TaskState(record["s"]), moment(record["t"])
    going_on = state in UNFINISHED_TASKS
    return TaskRun(
        number=_number(record["n"]),
        name=clean(str(record["name"])),
        state=state,
        attempt=_number(record.get("a", 1)),
        map_index=None if record.get("i") is None else _number(record["i"]),
        started_at=_began(record, state, at),
        ended_at=None if going_on else at,
        upstream=tuple(_number(number) for number in record.get("up") or ()),
        message=clean(str(record.get("m") or "")),
        failure=_failure(record.get("f")),
        result_preview=_text(record.get("r")),
        call=None if result is None else result.call,
        kept=None if result is None else result.kind,
        within=_task_number(record.get("w")),
    )


def _attempt(task: TaskRun, at: datetime) -> TaskAttempt | None:
    """That an attempt ended before another, or began after one; what else there is to know is told of the task run."""
    if task.state is TaskState.RETRYING:
        return TaskAttempt(number=task.number, attempt=task.attempt, ended_at=at)
    if task.state is TaskState.RUNNING and task.attempt > 1:
        return TaskAttempt(number=task.number, attempt=task.attempt, started_at=at)
    return None


def _began(record: Record, state: TaskState, at: datetime) -> datetime | None:
    """When it began, where the record says: a later attempt of the task does not begin it."""
    if record.get("b") is not None:
        return moment(record["b"])
    return at if state is TaskState.RUNNING and record.get("a", 1) == 1 else None


def _log(said: Said, record: Record) -> None:
    message = clean(str(record["m"]))
    said.lines.append(
        LogLine(
            at=moment(record["t"]),
            level=_number(record["l"], most=_HIGHEST_LEVEL),
            message=message,
            stream=Stream(record["s"]),
            logger=clean(str(record.get("g") or "")),
            task=_task_number(record.get("n")),
            within=_task_number(record.get("w")),
        )
    )


def _result(said: Said, record: Record) -> None:
    if record.get("n") is None:
        said.result_preview = clean(str(record["v"]))
        if record.get("x") is not None:
            result = _kept(record["x"], call=OF_FLOW)
            said.result_kept = result.kind
            said.results.append(result)


def _end(said: Said, record: Record) -> None:
    state = RunState(record["s"])
    if state not in FINAL:
        raise ValueError(f"no run ends as {state}")
    said.last_word = LastWord(
        state=state, message=clean(str(record.get("m") or "")), failure=_failure(record.get("f"))
    )
    said.ended_at = moment(record["t"])


def _exit(said: Said, record: Record) -> None:
    code = record["c"]
    if not isinstance(code, int):
        raise ValueError(f"{code!r} is no exit status")
    said.last_word = word_of_keeper(code).after(said.last_word)
    said.ended_at = moment(record["t"])


def _ask(said: Said, record: Record) -> None:
    said.questions.append(
        Question(
            id=_matching(_QUESTION_ID, record["id"]),
            kind=_matching(_QUESTION_KIND, record["q"]),
            asked_at=moment(record["t"]),
            body=_object(record.get("b") or {}),
            door=_matching(_DOOR, record.get("s") or ""),
        )
    )


def _free(said: Said, record: Record) -> None:
    said.freed.append(_matching(_QUESTION_ID, record["id"]))


def _artifact(said: Said, record: Record) -> None:
    said.artifacts.append(
        Artifact(
            id=UUID(record["id"]),
            kind=ArtifactKind(record["a"]),
            at=moment(record["t"]),
            data=_cleaned(record["d"]),
            key=check_key(record.get("y") or None),
            description=clean(str(record.get("e") or "")),
            task=_task_number(record.get("n")),
        )
    )


def _event(said: Said, record: Record) -> None:
    said.events.append(
        Event(
            id=UUID(record["id"]),
            name=clean(str(record["w"])),
            at=moment(record["at"]),
            resource=_cleaned(_object(record["of"])),
            payload=_cleaned(_object(record.get("p") or {})),
            related=tuple(_cleaned(_object(one)) for one in record.get("up") or ()),
        )
    )


def _lost(said: Said, record: Record) -> None:
    why = clean(str(record.get("m") or "")) or "there was no room for them"
    text = f"{_number(record['n'])} line(s) or other record(s) of the run are missing here: {why}"
    said.lines.append(_remark(text, moment(record["t"])))


def _unknown(said: Said, record: Record) -> None:
    if record["k"] == "damaged":
        raise ValueError(record["m"])


_KINDS: Final = {
    "start": _start,
    "task": _task,
    "flow": _flow,
    "log": _log,
    "result": _result,
    "ask": _ask,
    "free": _free,
    "artifact": _artifact,
    "event": _event,
    "lost": _lost,
    "end": _end,
    "exit": _exit,
}


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r:.100} is not {pattern.pattern}")
    return value


def _cleaned(value: Any) -> Any:
    """JSON of which every text can be stored."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {clean(name): _cleaned(one) for name, one in value.items()}
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r:.100} is no object")
    return value


def _number(value: Any, *, most: int = _MOST_KEY) -> int:
    """A whole number that the database can hold: a record that has another is damaged."""
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no number from 0 to {most}")
    return value


def _task_number(value: Any) -> int | None:
    return None if value is None else _number(value)


def _kept(parts: Any, *, call: str) -> Result:
    """A value as the run kept it: its kind, its content in Base64, the name of its file."""
    kind, content, file = [*parts, "", ""][:3]
    if not _FILE.fullmatch(str(file)):
        raise ValueError(f"{file!r} is no name of a result's file")
    return Result(kind=ResultKind(kind), call=call, content=b64decode(content), file=str(file))


def _text(value: Any) -> str | None:
    return None if value is None else clean(str(value))


def _failure(fields: Any) -> Failure | None:
    if not isinstance(fields, dict):
        return None
    failure = failure_from_json(fields)
    return Failure(
        type=clean(failure.type),
        message=clean(failure.message),
        file=_text(failure.file),
        line=failure.line if isinstance(failure.line, int) and 0 <= failure.line <= _MOST_KEY else None,
        task=_text(failure.task),
        traceback=clean(failure.traceback),
    )


def _remark(message: str, at: datetime) -> LogLine:
    return LogLine(at=at, level=_WARNING, message=message, stream=Stream.SYSTEM, logger="schedulerd")


def output_lines(
    lines: Iterable[bytes], stream: Stream, *, now: datetime, redact: Callable[[str], str] = str
) -> list[LogLine]:
    """Lines of an output file as log lines, told as `redact` says, very long ones in parts."""
    level = 20
    return [
        LogLine(at=now, level=level, message=text[start : start + _LONGEST], stream=stream)
        for text in (redact(clean(line.decode("utf-8", "replace").removesuffix("\r"))) for line in lines)
        for start in range(0, max(len(text), 1), _LONGEST)
    ]
