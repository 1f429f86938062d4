"""A run told over a line: what happens on a worker of a cluster is recorded where the flow is.

The worker tells each record as bytes, in order. Task runs that begin there have numbers below 0, and are given their own
where they are recorded.
"""

from __future__ import annotations

import logging
import pickle
import threading
from itertools import count
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import flow_run, task_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.keeping import Keeper, Kept
    from schedulerd.authoring.records import FlowRecord, TaskRecord


class RelayRecorder:
    """Tells each record, and counts them."""

    previews = True
    keeper: Keeper | None = None

    def __init__(self, tell: Callable[[bytes], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self.told = 0

    def task(self, record: TaskRecord) -> None:
        """A task run is in a state."""
        self._say("task", (record,), {})

    def flow(self, record: FlowRecord) -> None:
        """A flow that was called is in a state."""
        self._say("flow", (record,), {})

    def log(self, level: int, logger: str, message: str, at: int, **more: Any) -> None:
        """A line was logged."""
        self._say("log", (level, logger, message, at), more)

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        """It returned this."""
        self._say("result", (preview, at), {"task": task})

    def _say(self, what: str, args: tuple[Any, ...], more: dict[str, Any]) -> None:
        with self._lock:
            self._tell(pickle.dumps((what, args, more)))
            self.told += 1


def numbers_there() -> Iterator[int]:
    """The numbers of task runs that begin on a worker."""
    return count(-1, -1)


class Relay:
    """The end of a line where the flow is: records what is heard of one call."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context
        self._numbers: dict[int, int] = {}
        self._condition = threading.Condition()
        self._heard = 0

    def hear(self, content: bytes) -> None:
        """Record what was told."""
        what, args, more = pickle.loads(content)
        if what == "task":
            self._renumber(args[0])
        elif what == "flow":
            self._renumber(args[0].task)
        for name in ("task", "within"):
            if more.get(name) is not None:
                more[name] = self._number(more[name])
        getattr(self._context.recorder, what)(*args, **more)
        with self._condition:
            self._heard += 1
            self._condition.notify_all()

    def wait(self, told: int, *, seconds: float) -> bool:
        """Wait until so many were heard; False when that takes longer."""
        with self._condition:
            return self._condition.wait_for(lambda: self._heard >= told, seconds)

    def _renumber(self, record: TaskRecord) -> None:
        if record.within is not None:
            if record.within < 0 and record.number not in self._numbers:
                self._numbers[record.number] = next(self._context.numbers_within)
            record.within = self._number(record.within)
        record.number = self._number(record.number)
        record.upstream = tuple(map(self._number, record.upstream))

    def _number(self, number: int) -> int:
        if number >= 0:
            return number
        if number not in self._numbers:
            self._numbers[number] = next(self._context.numbers)
        return self._numbers[number]


class RelayHandler(logging.Handler):
    """Hands log records of a task to where its flow is; others are not its business."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the line."""
        context, run = flow_run.get(), task_run.get()
        if context is None:
            return
        try:
            at = int(record.created * 1_000_000)
            number = None if run is None else run.number
            context.recorder.log(
                record.levelno, record.name, self.format(record), at, task=number, within=context.within
            )
        except Exception:  # border: a bad log call must not end the task; handleError prints its traceback
            self.handleError(record)


class RelayStream:
    """Stands in for `sys.stdout` of a worker: whole lines of tasks are told to where their flow is, all else is written."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._pending = threading.local()

    def write(self, text: str, /) -> int:
        """Take text."""
        context, run = flow_run.get(), task_run.get()
        if context is None:
            return int(self._stream.write(text))
        *whole, rest = (getattr(self._pending, "text", "") + text).split("\n")
        self._pending.text = rest
        number = None if run is None else run.number
        for line in whole:
            context.recorder.log(
                _INFO, "", line, context.now(), task=number, within=context.within, stream=self._name
            )
        return len(text)

    def finish(self) -> None:
        """Tell a last line of this thread that has no newline."""
        if getattr(self._pending, "text", ""):
            self.write("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_INFO: Final = 20
