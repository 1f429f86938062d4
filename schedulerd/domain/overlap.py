"""What becomes of due times while a run of their schedule goes on, or others wait for its end. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Overlap


@dataclass(frozen=True, kw_only=True, slots=True)
class DueRun:
    """A run whose time has come while another of its schedule goes on. `selector` names it for people.

    `passed_over`: it makes up for a missed time, and one that is on time has started before it.
    """

    key: RunKey
    selector: str
    caught_up: bool
    passed_over: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A schedule of which a run goes on, and what waits for its end.

    `active` names the run that goes on; `queued` is how many wait that are on time.
    """

    overlap: Overlap
    queue_limit: int
    active: str
    queued: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """The run does not start; `message` says which other one was in its way."""

    run: RunKey
    reason: SkipReason
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """The run waits in line."""

    run: RunKey


Ruling = Skipped | Queued


def decide(line: Line, due: Sequence[DueRun]) -> list[Ruling]:
    """What becomes of these runs, which come oldest first; one that `allow` lets start has no ruling.

    A run that makes up for a missed time waits in line, whatever `overlap` says. With `replace` the runs are the new ones
    and those on time that wait already: only the newest of them goes on waiting.
    """
    rulings: list[Ruling] = []
    newest = successor(line.overlap, due)
    queued = line.queued
    for run in due:
        if run.caught_up or (line.overlap is Overlap.QUEUE and queued < line.queue_limit):
            rulings.append(Queued(run=run.key))
            queued += not run.caught_up
        elif (ruling := _ruling(line, run, newest)) is not None:
            rulings.append(ruling)
    return rulings


def successor(overlap: Overlap, due: Sequence[DueRun]) -> DueRun | None:
    """The run that is to take the place of all others of its schedule, the newest on time; None but for `replace`."""
    on_time = [run for run in due if not run.caught_up]
    return on_time[-1] if on_time and overlap is Overlap.REPLACE else None


def next_of(line: Sequence[DueRun]) -> DueRun:
    """With `replace`, which of those that wait starts when none goes on; they come oldest first.

    That is the newest on time. But what makes up for a missed time is passed over once only: else it would wait for
    ever where a next time is always due before the run of the last has ended.
    """
    oldest = next((run for run in line if run.caught_up), None)
    newest = next((run for run in reversed(line) if not run.caught_up), None)
    if newest is None or (oldest is not None and oldest.passed_over):
        assert oldest is not None  # there is one at least
        return oldest
    return newest


def superseded(due: Sequence[DueRun], newest: DueRun) -> list[Skipped]:
    """With `replace`: the runs on time in whose place the newest starts."""
    return [_replaced(run, newest) for run in due if run is not newest and not run.caught_up]


def _ruling(line: Line, run: DueRun, newest: DueRun | None) -> Ruling | None:
    match line.overlap:
        case Overlap.SKIP:
            return Skipped(run=run.key, reason=SkipReason.OVERLAP, message=f"{line.active} was running")
        case Overlap.QUEUE:
            full = f"{line.queue_limit} waited for {line.active} already"
            return Skipped(run=run.key, reason=SkipReason.QUEUE_FULL, message=full)
        case Overlap.REPLACE:
            assert newest is not None  # it is on time itself, and so one of those of which the newest counts
            return Queued(run=run.key) if run is newest else _replaced(run, newest)
        case Overlap.ALLOW:
            return None
        case _:  # pragma: no cover - every kind is above
            assert_never(line.overlap)


def _replaced(run: DueRun, newest: DueRun) -> Skipped:
    return Skipped(run=run.key, reason=SkipReason.REPLACED, message=f"replaced by {newest.selector}")
