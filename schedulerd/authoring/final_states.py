"""The state of a flow of the function style by what its function returned: the rule of Prefect 3."""

from __future__ import annotations

from schedulerd.authoring.futures import Future, FutureList
from schedulerd.authoring.refusals import TaskNotReady
from schedulerd.authoring.states import State, StateType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEVERAL = (list, tuple, set, frozenset, FutureList)


def final_state(value: Any) -> State:
    """A state is taken as it is. Of futures and states, alone or several, all must have completed; waits for them.

    Any other value completes the flow, even where a task failed that nobody asked.
    """
    if isinstance(value, State):
        return value
    if isinstance(value, Future):
        return _of_several([value], value)
    if type(value) in _SEVERAL and value and all(isinstance(one, State | Future) for one in value):
        return _of_several(list(value), value)
    return State(StateType.COMPLETED, data=value)


def _of_several(several: list[Any], given: Any) -> State:
    states = [one if isinstance(one, State) else _ended(one) for one in several]
    bad = [state for state in states if not state.is_completed()]
    if not bad:
        results = [state.data for state in states]
        data = results[0] if isinstance(given, Future) else type(given)(results) if _keeps(given) else results
        return State(StateType.COMPLETED, message=_counted(states, "completed"), data=data)
    message = _counted(states, "did not complete", len(bad))
    for kind in (StateType.CANCELLED, StateType.PAUSED):
        if any(state.type == kind for state in bad):
            return State(kind, message=message)
    first = bad[0]
    error = first.result(raise_on_failure=False)
    if isinstance(error, TaskNotReady):  # it has no failure of its own that would say more
        message = f"{message}: {error}"
    return State(StateType.FAILED, message=message, data=error, failure=first.failure)


def _keeps(given: Any) -> bool:
    """May what is in the list, or set, be replaced by results, which need not be hashable?"""
    return type(given) in (list, tuple)


def _ended(future: Future) -> State:
    future.wait()
    return future.state


def _counted(states: list[State], what: str, count: int | None = None) -> str:
    return f"{len(states) if count is None else count} of {len(states)} {what}"
