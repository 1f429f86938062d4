"""A recorder that remembers, and files of user code to run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from schedulerd.authoring.context import FlowContext
from schedulerd.authoring.execution import Outcome, execute
from schedulerd.authoring.flows import AnyFlow
from schedulerd.authoring.keeping import Keeper, Kept
from schedulerd.authoring.loading import Found, loading
from schedulerd.authoring.records import FlowRecord, TaskRecord


class Tape:
    """Remembers what a run told, in order."""

    previews = True
    keeper: Keeper | None = None

    def __init__(self) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.flows: list[FlowRecord] = []
        self.lines: list[dict[str, Any]] = []
        self.results: list[str] = []
        self.told: list[dict[str, Any]] = []

    def task(self, record: TaskRecord) -> None:
        self.tasks.append({name: getattr(record, name) for name in TaskRecord.__slots__})

    def flow(self, record: FlowRecord) -> None:
        self.task(record.task)
        self.flows.append(record)

    def tell(self, kind: str, summary: str, at: int, said: Mapping[str, Any]) -> None:
        self.told.append({"kind": kind, "summary": summary, **said})

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
        self.lines.append(
            {
                "level": level,
                "message": message,
                "task": task,
                "within": within,
                "logger": logger,
                "stream": stream,
            }
        )

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        self.results.append(preview)

    def states(self) -> list[tuple[str, str]]:
        """Name and state of each task record, in order."""
        return [(record["name"], record["state"]) for record in self.tasks]

    def final(self) -> dict[str, str]:
        """The last state of each task by name."""
        return dict(self.states())

    def messages(self) -> list[str]:
        """The text of each line."""
        return [line["message"] for line in self.lines]


class Ticks:
    """A clock that goes one microsecond further each time it is read."""

    def __init__(self) -> None:
        self._now = 0

    def __call__(self) -> int:
        self._now += 1
        return self._now


def a_context(
    tape: Tape | None = None, *, pause: Callable[[float], None] = lambda seconds: None
) -> FlowContext:
    """The context of a run, under a clock of its own, in which no retry waits."""
    return FlowContext("a flow", tape or Tape(), now=Ticks(), pause=pause)


def run(flow: AnyFlow, parameters: Mapping[str, Any] | None = None, *, tape: Tape | None = None) -> Outcome:
    """Execute a flow as the engine does."""
    return execute(flow, parameters or {}, tape or Tape(), now=Ticks())


def load(folder: Path, text: str, *, name: str = "flow_file.py") -> tuple[Found, ModuleType]:
    """Write a flow file and load it as the engine does: what it finds, and the module."""
    file = folder / name
    file.write_text(text)
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    with loading(file) as found:
        exec(compile(text, file, "exec"), vars(module))
    return found, module


class NoRecorder:
    """Records nothing."""

    previews = False
    keeper: Keeper | None = None

    def task(self, record: TaskRecord) -> None:
        """Forget it."""

    def flow(self, record: FlowRecord) -> None:
        """Forget it."""

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
        """Forget it."""

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        """Forget it."""

    def tell(self, kind: str, summary: str, at: int, said: Mapping[str, Any]) -> None:
        """Forget it."""
