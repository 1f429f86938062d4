"""The checker finds out hooks that were not called just once for the end of their run, and attempts that had no reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.states import RunState
from tests.builders import NOW, a_run, a_run_id
from tests.faults.checker import check
from tests.faults.effects import Begin, Effect, End, HookCall, HookEffect, Process
from tests.faults.history import Faults, History, Remembered, Span, microseconds_of
from tests.faults.lies import Lie

ID: Final = a_run_id(NOW)
PROCESS: Final = Process(pid=9, start_time=7)
CALL: Final = HookCall(at=0, state="Failed", process=PROCESS, is_done=True)
CUT_SHORT: Final = LogLine(
    at=NOW,
    level=40,
    message="hook tell (a.py:1) was cut short: killed by SIGKILL; neither it nor those after it are called again",
    stream=Stream.SYSTEM,
)


def _effect(attempt: int) -> Effect:
    at = microseconds_of(NOW)
    process = Process(pid=attempt, start_time=7)
    return Effect(
        run=str(ID),
        attempt=attempt,
        begins=(Begin(at=at, due=NOW.isoformat(), process=process),),
        spoken=(),
        children=(),
        ends=(End(at=at + 100, how="failed"),),
    )


@pytest.fixture
def true() -> History:
    """A run that failed at each of its three attempts, and then had its hooks called."""
    run = a_run(
        id=ID,
        state=RunState.FAILED,
        pending_at=NOW,
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=1),
        attempt=3,
    )
    line = LogLine(at=NOW, level=20, message="of-hooks 3", stream=Stream.STDOUT)
    return History(
        schedules=(),
        runs=(Remembered(run=run, lines=(line,)),),
        effects=(_effect(1), _effect(2), _effect(3)),
        hooks=(HookEffect(run=str(ID), attempt=3, calls=(CALL,)),),
        hooked=frozenset({"etl"}),
        retries={"etl": 2},
    )


def _lies(history: History) -> set[Lie]:
    return {violation.lie for violation in check(history)}


def _calls(history: History, *calls: HookCall) -> History:
    return replace(history, hooks=(replace(history.hooks[0], calls=calls),))


def _lines(history: History, *lines: LogLine) -> History:
    return replace(history, runs=(replace(history.runs[0], lines=lines),))


def _run(history: History, **changes: Any) -> History:
    (one,) = history.runs
    return replace(history, runs=(replace(one, run=replace(one.run, **changes)),))


def test_in_a_true_history_there_is_no_lie(true: History) -> None:
    assert check(true) == []


DOCTORED: Final[dict[str, Callable[[History], History]]] = {
    "called twice": lambda true: _calls(true, CALL, CALL),
    "not called": lambda true: replace(true, hooks=()),
    "not called to their end": lambda true: _calls(true, replace(CALL, is_done=False)),
    "told another state": lambda true: _calls(true, replace(CALL, state="Completed")),
    "of another attempt": lambda true: replace(true, hooks=(replace(true.hooks[0], attempt=2),)),
    "of a run that has no hooks": lambda true: replace(true, hooked=frozenset()),
    "of a run that never began": lambda true: replace(
        _run(true, state=RunState.CANCELLED, attempt=0), effects=()
    ),
    "cut short by nobody": lambda true: _lines(true, CUT_SHORT),
    "their line is missing": _lines,
    "their line is there twice": lambda true: _lines(true, *true.runs[0].lines * 2),
}


@pytest.mark.parametrize("what", DOCTORED)
def test_each_lie_about_hooks_is_found(true: History, what: str) -> None:
    assert Lie.HOOKS in _lies(DOCTORED[what](true))


def test_what_was_cut_short_by_the_nemesis_is_excused_where_the_log_says_so(true: History) -> None:
    cut = _lines(_calls(true, replace(CALL, is_done=False)), CUT_SHORT)
    end = microseconds_of(NOW + timedelta(seconds=1))

    assert check(replace(cut, faults=Faults(killed_hooks=frozenset({str(ID)})))) == []
    assert check(replace(cut, faults=Faults(full=(Span(start=end, end=end),)))) == []
    assert _lies(replace(_calls(true), faults=Faults(killed_hooks=frozenset({str(ID)})))) == {Lie.HOOKS}


@pytest.mark.parametrize(
    ("doctor", "lie"),
    [
        (lambda true: replace(true, retries={}), Lie.EFFECT),
        (lambda true: replace(true, effects=true.effects[1:]), Lie.EFFECT),
        (lambda true: _run(true, attempt=2), Lie.EFFECT),
        (
            lambda true: replace(
                true,
                effects=(
                    replace(true.effects[0], ends=(End(at=0, how="completed"),)),
                    *true.effects[1:],
                ),
            ),
            Lie.EFFECT,
        ),
        (
            lambda true: replace(
                _run(true, attempt=2),
                effects=true.effects[:2],
                hooks=(replace(true.hooks[0], attempt=2),),
            ),
            Lie.STATE,
        ),
    ],
    ids=[
        "never tried again",
        "an attempt without effect",
        "one too many",
        "completed before",
        "given up early",
    ],
)
def test_attempts_without_a_reason_are_found(
    true: History, doctor: Callable[[History], History], lie: Lie
) -> None:
    assert lie in _lies(doctor(true))
