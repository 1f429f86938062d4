"""The checker finds each kind of lie in a history that was doctored, and none in one that is true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from schedulerd.domain.ids import FlowKey, RunKey, ScheduleKey
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import Pause, Schedule
from schedulerd.domain.states import RunState
from tests.builders import NOW, a_run, a_run_id, a_schedule
from tests.faults.checker import check, due_times
from tests.faults.effects import Begin, Effect, End, Process, Spoken
from tests.faults.history import Ask, Faults, History, Remembered, Span, Wish, microseconds_of
from tests.faults.lies import Lie

MINUTES: Final = 3
SCHEDULE: Final = Schedule(
    key=ScheduleKey(1),
    definition=a_schedule(),
    flow_key=FlowKey(1),
    first_seen=NOW,
    watermark=NOW + timedelta(minutes=MINUTES),
    next_due=None,
    last_due=None,
    paused=Pause(at=NOW + timedelta(minutes=MINUTES, seconds=1), by="test", reason="the end"),
)
CHANNELS: Final = ("print", "raw2")


def _run(number: int) -> Run:
    due = due_times(SCHEDULE)[number]
    at = due.at + timedelta(milliseconds=10)
    return a_run(
        key=RunKey(number + 1),
        id=a_run_id(at),
        number=number + 1,
        state=RunState.COMPLETED,
        schedule="etl-morning",
        schedule_key=ScheduleKey(1),
        slot=due.slot,
        due_at=due.at,
        created_at=at,
        pending_at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=1),
        attempt=1,
        pid=100 + number,
    )


def _remembered(run: Run) -> Remembered:
    lines = [
        LogLine(at=run.due_at, level=20, message=f"{channel} {number}", stream=Stream.STDOUT)
        for number in (1, 2)
        for channel in CHANNELS
    ]
    return Remembered(run=run, lines=tuple(lines))


def _effect(run: Run) -> Effect:
    at = microseconds_of(run.due_at) + 50_000
    return Effect(
        run=str(run.id),
        attempt=1,
        begins=(Begin(at=at, due=run.due_at.isoformat(), process=Process(pid=run.pid or 0, start_time=7)),),
        spoken=tuple(
            Spoken(channel=channel, number=number, about_at=at + number, done_at=at + number + 1)
            for channel in CHANNELS
            for number in (1, 2)
        ),
        children=(),
        ends=(End(at=at + 100, how="completed"),),
    )


@pytest.fixture
def true() -> History:
    runs = [_run(number) for number in range(MINUTES)]
    return History(
        schedules=(SCHEDULE,),
        runs=tuple(map(_remembered, runs)),
        effects=tuple(map(_effect, runs)),
    )


def _lies(history: History) -> set[Lie]:
    return {violation.lie for violation in check(history)}


def _with_run(history: History, **changes: Any) -> History:
    """The first run is remembered otherwise."""
    first, *others = history.runs
    return replace(history, runs=(replace(first, run=replace(first.run, **changes)), *others))


def _with_effect(history: History, **changes: Any) -> History:
    first, *others = history.effects
    return replace(history, effects=(replace(first, **changes), *others))


def _with_lines(history: History, doctor: Callable[[list[LogLine]], list[LogLine]]) -> History:
    first, *others = history.runs
    return replace(history, runs=(replace(first, lines=tuple(doctor(list(first.lines)))), *others))


def test_in_a_true_history_there_is_no_lie(true: History) -> None:
    assert check(true) == []


def _without_first(history: History) -> History:
    return replace(history, runs=history.runs[1:], effects=history.effects[1:])


def _again(history: History) -> History:
    twin = replace(history.runs[0].run, key=RunKey(99), id=a_run_id(), number=99)
    return replace(
        history,
        runs=(*history.runs, _remembered(twin)),
        effects=(*history.effects, _effect(twin)),
    )


DOCTORED: Final[dict[str, tuple[Callable[[History], History], Lie]]] = {
    "a due time without a row": (_without_first, Lie.LOST),
    "a due time with two rows": (_again, Lie.DOUBLED),
    "a row for no due time": (lambda true: _with_run(true, slot="2026-11-22T06:00:30Z"), Lie.INVENTED),
    "a skip for a strange reason": (
        lambda true: replace(
            _with_run(true, state=RunState.SKIPPED, reason="whim"), effects=true.effects[1:]
        ),
        Lie.REASON,
    ),
    "a schedule that lags": (
        lambda true: replace(
            true,
            schedules=(
                replace(SCHEDULE, paused=Pause(at=NOW + timedelta(minutes=9), by="test", reason="the end")),
            ),
        ),
        Lie.BEHIND,
    ),
    "an effect twice": (
        lambda true: _with_effect(true, begins=true.effects[0].begins * 2),
        Lie.EFFECT,
    ),
    "an effect of no run": (lambda true: _with_effect(true, run=str(a_run_id())), Lie.EFFECT),
    "an effect of another attempt": (lambda true: _with_effect(true, attempt=2), Lie.EFFECT),
    "a promised run that is not there": (
        lambda true: replace(true, faults=Faults(asks=(Ask(token="t", at=0, acknowledged=True),))),
        Lie.ASK,
    ),
    "a line that is missing": (lambda true: _with_lines(true, lambda lines: lines[1:]), Lie.LINE_MISSING),
    "a line twice": (lambda true: _with_lines(true, lambda lines: [*lines, lines[-1]]), Lie.LINE_DOUBLED),
    "lines out of order": (lambda true: _with_lines(true, lambda lines: lines[::-1]), Lie.LINE_ORDER),
    "a line of nobody": (
        lambda true: _with_lines(true, lambda lines: [*lines, replace(lines[0], message="print 77")]),
        Lie.LINE_INVENTED,
    ),
    "completed, and it died": (
        lambda true: _with_effect(true, ends=(End(at=0, how="died"),)),
        Lie.STATE,
    ),
    "completed, and it never ended": (lambda true: _with_effect(true, ends=()), Lie.STATE),
    "crashed, and nobody killed it": (lambda true: _with_run(true, state=RunState.CRASHED), Lie.STATE),
    "cancelled, and nobody wished it": (lambda true: _with_run(true, state=RunState.CANCELLED), Lie.STATE),
    "timed out, without a limit": (lambda true: _with_run(true, state=RunState.TIMED_OUT), Lie.STATE),
    "skipped, and it did something": (
        lambda true: _with_run(true, state=RunState.SKIPPED, reason="overlap"),
        Lie.STATE,
    ),
    "running for ever": (lambda true: _with_run(true, state=RunState.RUNNING, ended_at=None), Lie.STUCK),
    "far beyond its limit": (
        lambda true: replace(
            _with_run(true, ended_at=NOW + timedelta(minutes=10)), limits_seconds={"etl": 2.0}
        ),
        Lie.OVERTIME,
    ),
    "a process that lives": (
        lambda true: replace(true, processes=(Process(pid=100, start_time=7),)),
        Lie.PROCESS,
    ),
    "a folder that is left": (lambda true: replace(true, folders=("0190.1",)), Lie.FOLDER),
    "hooks that are left": (lambda true: replace(true, hooks_left=1), Lie.HOOKS),
    "a wish that is left": (lambda true: replace(true, wishes_left=1), Lie.WISH),
    "a broken invariant": (lambda true: replace(true, complaints=("moves are not numbered",)), Lie.COMPLAINT),
}


@pytest.mark.parametrize("what", DOCTORED)
def test_each_lie_is_found(true: History, what: str) -> None:
    doctor, lie = DOCTORED[what]

    assert lie in _lies(doctor(true))


def test_every_kind_of_lie_has_a_doctored_history() -> None:
    assert {lie for _, lie in DOCTORED.values()} == set(Lie)


def test_what_the_nemesis_did_excuses_what_came_of_it_and_nothing_else(true: History) -> None:
    run = true.runs[0].run
    span = Span(start=microseconds_of(run.due_at), end=microseconds_of(run.due_at) + 10**6)
    killed = Faults(killed=frozenset({true.effects[0].begins[0].process}))
    wished = Faults(wishes=(Wish(run=str(run.id), at=0, acknowledged=True),))
    crashed = _with_run(true, state=RunState.CRASHED)
    cancelled = _with_run(true, state=RunState.CANCELLED)

    assert check(replace(crashed, faults=killed)) == []
    assert check(replace(crashed, faults=Faults(full=(span,)))) == []
    assert check(replace(cancelled, faults=wished)) == []
    assert check(replace(cancelled, faults=Faults(cancelling_stops=(span,)))) == []
    assert _lies(replace(cancelled, faults=killed)) == {Lie.STATE}
    assert _lies(replace(crashed, faults=wished)) == {Lie.STATE}


def test_a_line_may_be_missing_only_where_it_was_not_seen_to_be_written_or_had_no_room(true: History) -> None:
    missing = _with_lines(true, lambda lines: [line for line in lines if line.message != "print 1"])
    spoken = true.effects[0].spoken
    unseen = _with_effect(missing, spoken=(replace(spoken[0], done_at=None), *spoken[1:]))
    full = Faults(full=(Span(start=spoken[0].about_at, end=spoken[0].about_at),))

    assert _lies(missing) == {Lie.LINE_MISSING}
    assert check(unseen) == []
    assert check(replace(missing, faults=full)) == []
