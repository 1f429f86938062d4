"""Were the hooks of each run that ended called just once, in its final state? Pure.

Excused is what was cut short, if the log of the run says so: by the nemesis, which killed the call, or left no room.
"""

from collections.abc import Iterator
from typing import Final

from schedulerd.domain.logs import Stream
from schedulerd.domain.states import FINAL, RunState
from tests.faults.effects import HookCall
from tests.faults.history import History, Remembered
from tests.faults.lies import Lie, Violation

OF_HOOKS: Final = "of-hooks"
_CUT_SHORT: Final = " was cut short: ", "its hooks were cut short: "
_SOON: Final = 60_000_000
_NAMES: Final = {
    RunState.COMPLETED: "Completed",
    RunState.FAILED: "Failed",
    RunState.TIMED_OUT: "TimedOut",
    RunState.CRASHED: "Crashed",
    RunState.CANCELLED: "Cancelled",
}


def check_hooks(history: History) -> Iterator[Violation]:
    """All that is not true of hooks in this history."""
    called: dict[str, dict[int, tuple[HookCall, ...]]] = {}
    for effect in history.hooks:
        called.setdefault(effect.run, {})[effect.attempt] = effect.calls
    for one in history.runs:
        if one.run.flow in history.hooked and one.run.state in FINAL:
            for message in _wrong(one, called.pop(str(one.run.id), {}), history):
                yield Violation(
                    lie=Lie.HOOKS, about=str(one.run.id), message=f"{one.run.selector}: {message}"
                )
    for run in called:
        yield Violation(
            lie=Lie.HOOKS, about=run, message="hooks were called for no run that has them and ended"
        )


def _wrong(one: Remembered, called: dict[int, tuple[HookCall, ...]], history: History) -> Iterator[str]:
    run = one.run
    for attempt in called.keys() - {run.attempt}:
        yield f"hooks were called for attempt {attempt} of {run.attempt}"
    calls = called.get(run.attempt, ())
    if run.attempt == 0:  # it was never claimed
        if calls:
            yield "hooks were called for a run that never began"
        return
    if len(calls) > 1:
        yield f"hooks were called {len(calls)} times"
    for call in calls:
        if call.state != _NAMES.get(run.state):
            yield f"hooks were told that it is {call.state}; it is {run.state}"
    cut_short = [
        line
        for line in one.lines
        if line.stream is Stream.SYSTEM and any(words in line.message for words in _CUT_SHORT)
    ]
    if cut_short and str(run.id) not in history.faults.killed_hooks and not _saw_full_disk(one, history):
        yield f"{cut_short[0].message}; but nobody killed them"
    if not cut_short and not any(call.is_done for call in calls):
        yield "hooks were not called to their end, and its log does not say so"
    said = sum(line.message == f"{OF_HOOKS} {run.attempt}" for line in one.lines)
    if said > 1 or (not cut_short and said != 1 and not _saw_full_disk(one, history)):
        yield f"the line of its hooks is in the log {said} times"


def _saw_full_disk(one: Remembered, history: History) -> bool:
    """Was there no room for what its hooks recorded? They are called soon after its end."""
    _, end = one.life
    return any(span.touches(end, end + _SOON) for span in history.faults.full)
