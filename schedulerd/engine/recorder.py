"""Records a run in its journal: one call, one line. The engine's side of `authoring.recording.Recorder`."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from schedulerd.authoring.keeping import Keeper, Kept
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


class JournalRecorder:
    """Writes what a run tells into its journal."""

    previews = True

    def __init__(self, journal: Journal, keeper: Keeper | None = None) -> None:
        self._append = journal.append
        self.keeper = keeper

    def task(
        self,
        number: int,
        name: str,
        state: str,
        at: int,
        *,
        attempt: int = 1,
        map_index: int | None = None,
        upstream: tuple[int, ...] = (),
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        call: str | None = None,
        kept: Kept | None = None,
    ) -> None:
        """A task run is in this state since `at`. What is left out has its usual value."""
        record: Record = {"k": "task", "t": at, "n": number, "name": name, "s": state}
        if attempt != 1:
            record["a"] = attempt
        if map_index is not None:
            record["i"] = map_index
        if upstream:
            record["up"] = upstream
        if message:
            record["m"] = message
        if failure is not None:
            record["f"] = failure_as_json(failure)
        if result is not None:
            record["r"] = result
        if kept is not None:
            record["c"] = call
            record["v"] = _kept(kept)
        self._append(record)

    def log(
        self,
        level: int,
        logger: str,
        message: str,
        at: int,
        *,
        task: int | None = None,
        stream: str = "logging",
    ) -> None:
        """A line was logged; a very long one is recorded in parts."""
        message = given.redact(message)  # before it is divided
        for start in range(0, max(len(message), 1), LONGEST):
            part = message[start : start + LONGEST]
            record: Record = {"k": "log", "t": at, "l": level, "g": logger, "m": part, "s": stream}
            if task is not None:
                record["n"] = task
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
