"""The state handlers of a flow of the graph style, and its `on_failure`: called where the flow runs.

Under the daemon those for the end are called after the run, by `endings`, and make nothing else of it.
"""

from __future__ import annotations

from schedulerd.authoring.graph_states import Pending, Running, State
from schedulerd.authoring.graph_task_runs import through_handlers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.graphs import Flow

ERROR = 40  # logging's number, without its import


def run_handled(flow: Flow, context: FlowContext, carry_out: Callable[[], State]) -> State:
    """The state that `carry_out` comes to, as the handlers of the flow have it."""
    begun = through_handlers(flow, Pending(), Running("starting"))
    if begun.is_finished():
        return begun
    state = carry_out()
    if state.word in context.facts.hooks_after:
        return state
    ended = through_handlers(flow, begun, state)
    if ended.is_finished() and ended.result is None:
        ended.result = state.result  # the states of the tasks, which a state of a handler's own has not
    if flow.on_failure is not None and ended.is_failed():
        _tell_of_failure(flow.on_failure, flow, ended, context)
    return ended


def _tell_of_failure(on_failure: Callable[..., Any], flow: Flow, state: State, context: FlowContext) -> None:
    from schedulerd.authoring.hooks import HookCall  # late: seldom needed

    HookCall(on_failure, (flow, state)).make(context)
