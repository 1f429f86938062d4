"""When a task of a graph runs, by how the tasks before it ended. Prefect 1's triggers.

A task trigger is given the states by the edges that they came on, once all of them have ended. It returns true, or raises
`TRIGGERFAIL`: then the task does not run. What was skipped counts as a success.
"""

from __future__ import annotations

from schedulerd.authoring.graph_states import TriggerFailed
from schedulerd.authoring.signals import PAUSE, SKIP, TRIGGERFAIL, Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from schedulerd.authoring.graph_states import State
    from schedulerd.authoring.tasks import Task

    Upstream = Mapping[Any, State]


def states_of(upstream_states: Upstream) -> list[State]:
    """The states, those of a `.map()` one by one."""
    found: list[State] = []
    for state in upstream_states.values():
        if state.is_mapped():
            found += getattr(state, "map_states", [])
        else:
            found.append(state)
    return found


def refused(task: Task, upstream_states: Upstream) -> State | None:
    """The state in which a task ends, or waits, that its trigger does not let run; None when it does."""
    assert task.trigger is not None
    try:
        holds = task.trigger(upstream_states)
    except Signal as signal:
        return signal.state
    except Exception as error:  # border: a trigger of the user's
        return TriggerFailed(f"its trigger raised {type(error).__name__}: {error}", error)
    return None if holds else TriggerFailed("its trigger does not hold")


def all_successful(upstream_states: Upstream) -> bool:
    """All before it succeeded: what holds where no trigger is given."""
    return _require(all(state.is_successful() for state in states_of(upstream_states)), "all_successful")


def all_failed(upstream_states: Upstream) -> bool:
    """All before it failed."""
    return _require(all(state.is_failed() for state in states_of(upstream_states)), "all_failed")


def all_finished(upstream_states: Upstream) -> bool:
    """All before it have ended, in whatever way."""
    return _require(all(state.is_finished() for state in states_of(upstream_states)), "all_finished")


always_run = all_finished


def any_successful(upstream_states: Upstream) -> bool:
    """At least one before it succeeded; true also where there is none."""
    states = states_of(upstream_states)
    return _require(not states or any(state.is_successful() for state in states), "any_successful")


def any_failed(upstream_states: Upstream) -> bool:
    """At least one before it failed; true also where there is none."""
    states = states_of(upstream_states)
    return _require(not states or any(state.is_failed() for state in states), "any_failed")


def not_all_skipped(upstream_states: Upstream) -> bool:
    """None before it failed, and not all of them were skipped; where all were, it is skipped too."""
    states = states_of(upstream_states)
    if states and all(state.is_skipped() for state in states):
        raise SKIP("all tasks before it were skipped")
    return _require(all(state.is_successful() for state in states), "not_all_skipped")


def manual_only(upstream_states: Upstream) -> bool:
    """Only a person starts it: it waits for somebody's approval."""
    raise PAUSE("trigger manual_only: only a person starts it")


def some_failed(at_least: float | None = None, at_most: float | None = None) -> Callable[[Upstream], bool]:
    """A trigger: so many before it failed, as a number or, below 1, as a share of them."""
    return _some("some_failed", "is_failed", at_least, at_most)


def some_successful(
    at_least: float | None = None, at_most: float | None = None
) -> Callable[[Upstream], bool]:
    """A trigger: so many before it succeeded, as a number or, below 1, as a share of them."""
    return _some("some_successful", "is_successful", at_least, at_most)


def _some(
    name: str, question: str, at_least: float | None, at_most: float | None
) -> Callable[[Upstream], bool]:
    for limit in (at_least, at_most):
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 0):
            raise ValueError(f"{name}: a number of tasks, or a share between 0 and 1, not {limit!r}")

    def trigger(upstream_states: Upstream) -> bool:
        states = states_of(upstream_states)
        if not states:
            return True
        found = sum(getattr(state, question)() for state in states)
        low = 0 if at_least is None else _number(at_least, len(states))
        high = len(states) if at_most is None else _number(at_most, len(states))
        return _require(low <= found <= high, name)

    trigger.__name__ = name
    return trigger


def _number(limit: float, of: int) -> float:
    return limit * of if isinstance(limit, float) and limit < 1 else limit


def _require(holds: bool, name: str) -> bool:
    if not holds:
        raise TRIGGERFAIL(f"trigger {name}: the tasks before it did not end like that")
    return True
