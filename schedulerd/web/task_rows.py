"""The tasks of a run as the rows of a timeline: each with its stretch of time, and mapped ones folded. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from schedulerd.domain.failures import Failure
from schedulerd.domain.states import BAD_TASKS, WORST_FIRST, TaskState
from schedulerd.domain.tasks import TaskRun

LANE: Final = 1_000
"""The width of the whole time in which the tasks ran, in units of the drawing."""

FOLDED_ABOVE: Final = 20
MOST_ROWS: Final = 100
MOST_BAD: Final = 5
"""So many of a folded task that ended badly are shown below their sum."""

_NARROWEST: Final = 3  # what took no time is seen all the same


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A stretch in the lane, from `x` to `x + width`."""

    x: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """From when to when something ran, and where that is in the lane; `ended_at` is None where it goes on.

    An attempt that another followed is `retrying`.
    """

    bar: Bar
    state: TaskState
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRow:
    """One task run, with a stretch for each attempt; or with `counts` all of a mapped task, whose state is the worst of theirs."""

    name: str
    number: int
    state: TaskState
    attempt: int
    started_at: datetime | None
    duration: timedelta | None
    is_running: bool
    stretches: tuple[Stretch, ...]
    failure: Failure | None
    result_preview: str | None
    counts: Mapping[TaskState, int]

    @property
    def bar(self) -> Bar | None:
        """That of its last stretch; None for what has not begun."""
        return self.stretches[-1].bar if self.stretches else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The rows that are shown, how many task runs there are, and how many rows stand before and after these."""

    rows: tuple[TaskRow, ...]
    count: int
    before: int
    after: int
    began: datetime | None
    ended: datetime | None


def timeline(tasks: Sequence[TaskRun], *, now: datetime, unfolded: str = "", skip: int = 0) -> Timeline:
    """The tasks in the order in which they were made, without the first `skip` rows; of more than 20 of one mapped task only
    a sum and the first that ended badly, but for `unfolded`, of which all are shown, those that ended badly first."""
    began = min((task.started_at for task in tasks if task.started_at), default=None)
    ended = max((_end(task, now) for task in tasks if task.started_at), default=None)
    rows = [row for group in _groups(tasks) for row in _rows(group, _Axis(began, ended), now, unfolded)]
    return Timeline(
        rows=tuple(rows[skip : skip + MOST_ROWS]),
        count=len(tasks),
        before=min(skip, len(rows)),
        after=max(0, len(rows) - skip - MOST_ROWS),
        began=began,
        ended=ended,
    )


class _Axis:
    """Where in the lane a moment is."""

    def __init__(self, began: datetime | None, ended: datetime | None) -> None:
        self._began: Final = began
        self._length: Final = timedelta() if began is None or ended is None else ended - began

    def stretch(
        self, start: datetime | None, end: datetime | None, now: datetime, state: TaskState
    ) -> tuple[Stretch, ...]:
        if start is None or self._began is None:
            return ()
        x, stop = self._at(start), self._at(max(start, end or now))
        width = max(_NARROWEST, stop - x)
        bar = Bar(x=min(x, LANE - width), width=width)
        return (Stretch(bar=bar, state=state, started_at=start, ended_at=end),)

    def _at(self, moment: datetime) -> int:
        assert self._began is not None
        return 0 if not self._length else round(LANE * ((moment - self._began) / self._length))


def _end(task: TaskRun, now: datetime) -> datetime:
    return max(task.ended_at or now, task.started_at or now)


def _groups(tasks: Iterable[TaskRun]) -> list[list[TaskRun]]:
    """The runs of a mapped task together, where its first one stands; others alone."""
    mapped = [task for task in tasks if task.map_index is not None]
    of_name = {
        name: list(group) for name, group in groupby(sorted(mapped, key=_by_name), key=lambda t: t.name)
    }
    found = [[task] for task in tasks if task.map_index is None]
    return sorted([*found, *of_name.values()], key=lambda group: group[0].number)


def _by_name(task: TaskRun) -> tuple[str, int]:
    return task.name, task.number


def _rows(group: Sequence[TaskRun], axis: _Axis, now: datetime, unfolded: str) -> list[TaskRow]:
    if len(group) <= FOLDED_ABOVE:
        return [_row(task, axis, now) for task in group]
    bad = [task for task in group if task.state in BAD_TASKS]
    others = [task for task in group if task.state not in BAD_TASKS]
    shown = [*bad, *others] if group[0].name == unfolded else bad[:MOST_BAD]
    return [_sum(group, axis, now), *(_row(task, axis, now) for task in shown)]


def _row(task: TaskRun, axis: _Axis, now: datetime) -> TaskRow:
    end = _end(task, now)
    return TaskRow(
        name=task.name if task.map_index is None else f"{task.name}[{task.map_index}]",
        number=task.number,
        state=task.state,
        attempt=task.attempt,
        started_at=task.started_at,
        duration=None if task.started_at is None else end - task.started_at,
        is_running=task.state is TaskState.RUNNING,
        stretches=_stretches(task, axis, now),
        failure=task.failure,
        result_preview=task.result_preview,
        counts={},
    )


def _stretches(task: TaskRun, axis: _Axis, now: datetime) -> tuple[Stretch, ...]:
    if not task.attempts:
        return axis.stretch(task.started_at, task.ended_at, now, task.state)
    *earlier, last = task.attempts
    found = [axis.stretch(one.started_at, one.ended_at, now, TaskState.RETRYING) for one in earlier]
    return sum([*found, axis.stretch(last.started_at, last.ended_at, now, task.state)], ())


def _sum(group: Sequence[TaskRun], axis: _Axis, now: datetime) -> TaskRow:
    started = [task for task in group if task.started_at is not None]
    began = min((task.started_at for task in started if task.started_at), default=None)
    ended = max((_end(task, now) for task in started), default=now)
    counts = Counter(task.state for task in group)
    worst = next(state for state in WORST_FIRST if state in counts)
    going = any(task.ended_at is None for task in group)
    return TaskRow(
        name=group[0].name,
        number=group[0].number,
        state=worst,
        attempt=max(task.attempt for task in group),
        started_at=began,
        duration=None if began is None else ended - began,
        is_running=TaskState.RUNNING in counts,
        stretches=axis.stretch(began, None if going else ended, now, worst),
        failure=next((task.failure for task in group if task.failure), None),
        result_preview=None,
        counts={state: counts[state] for state in WORST_FIRST if state in counts},
    )
