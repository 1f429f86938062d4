"""Records a run in its journal: one call, one line. The engine's side of `authoring.recording.Recorder`."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from schedulerd.authoring.keeping import Keeper, Kept
from schedulerd.authoring.records import FlowRecord, TaskRecord
from schedulerd.authoring.redacting import given
from schedulerd.clock import microseconds
from schedulerd.domain.failures import Failure
from schedulerd.engine.journal import Journal, Record

LONGEST: Final = 64 * 1024  # characters of one log line; a longer one is split
_WARNING: Final = 30


def failure_as_json(failure: Failure) -> dict[str, object]:
    """A failure as a JSON object, as journals and answers carry it."""
    return {name: getattr(failure, name) for name in Failure.__slots__}


def _kept(kept: Kept) -> list[str]:
    """A value that was kept: its kind, its content in Base64, the name of its file; what is empty at the end is left out."""
    if kept.file:
        return [kept.kind, "", kept.file]
    return [kept.kind, b64encode(kept.content).decode()] if kept.content else [kept.kind]


def _task(kind: str, told: TaskRecord) -> Record:
    record: Record = {"k": kind, "t": told.at, "n": told.number, "name": told.name, "s": told.state}
    if told.began_at is not None:
        record["b"] = told.began_at
    if told.within is not None:
        record["w"] = told.within
    if told.attempt != 1:
        record["a"] = told.attempt
    if told.map_index is not None:
        record["i"] = told.map_index
    if told.upstream:
        record["up"] = told.upstream
    if told.message:
        record["m"] = told.message
    if told.failure is not None:
        record["f"] = failure_as_json(told.failure)
    if told.result is not None:
        record["r"] = told.result
    if told.kept is not None:
        record["c"] = told.call
        record["v"] = _kept(told.kept)
    return record


class JournalRecorder:
    """Writes what a run tells into its journal."""

    previews = True

    def __init__(self, journal: Journal, keeper: Keeper | None = None) -> None:
        self._append = journal.append
        self.keeper = keeper

    def task(self, record: TaskRecord) -> None:
        """A task run is in a state. What has its usual value is left out."""
        self._append(_task("task", record))

    def flow(self, record: FlowRecord) -> None:
        """A flow that was called within the run is in a state."""
        made = _task("flow", record.task)
        if record.id is not None:
            made["id"] = record.id
        made["flow"] = record.flow
        if record.parameters:
            made["p"] = record.parameters
        if record.tags:
            made["g"] = record.tags
        self._append(made)

    def log(
        self,
        level: int,
        logger: str,
        message: str,
        at: int,
        *,
        task: int | None = None,
        within: int | None = None,
        stream: str = "logging",
    ) -> None:
        """A line was logged; a very long one is recorded in parts."""
        message = given.redact(message)  # before it is divided
        for start in range(0, max(len(message), 1), LONGEST):
            part = message[start : start + LONGEST]
            record: Record = {"k": "log", "t": at, "l": level, "g": logger, "m": part, "s": stream}
            if task is not None:
                record["n"] = task
            if within is not None:
                record["w"] = within
            self._append(record)

    def warn(self, message: str) -> None:
        """Something about the run that a person should know, said by schedulerd itself."""
        self.log(_WARNING, "schedulerd", message, microseconds(), stream="system")

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        """The flow run, or the task run of that number, returned this."""
        record: Record = {"k": "result", "t": at, "v": preview}
        if task is not None:
            record["n"] = task
        if kept is not None:
            record["x"] = _kept(kept)
        self._append(record)

    def tell(self, kind: str, summary: str, at: int, said: Mapping[str, Any]) -> None:
        """The run tells something beside its log; `summary` is for consoles."""
        self._append({"k": kind, "t": at, **said})

    def end(self, state: str, message: str, failure: Failure | None, at: int) -> None:
        """The last record: what the run came to."""
        record: Record = {"k": "end", "t": at, "s": state, "m": message}
        if failure is not None:
            record["f"] = failure_as_json(failure)
        self._append(record)
