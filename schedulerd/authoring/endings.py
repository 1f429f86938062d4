"""The hooks of a flow for the end of its run, for whoever calls them when the run's own process has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.flow_runs import FunctionRun
from schedulerd.authoring.functions import FunctionFlow
from schedulerd.authoring.graph_states import Cancelled, Failed, Running, Success, TimedOut
from schedulerd.authoring.graphs import Flow
from schedulerd.authoring.hooks import HookCall
from schedulerd.authoring.parameters import coerced
from schedulerd.authoring.run_contexts import FlowRunInfo
from schedulerd.authoring.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.flows import AnyFlow
    from schedulerd.authoring.graph_states import State as GraphState
    from schedulerd.domain.failures import Failure

_OF_GRAPH = {"completed": Success, "timed_out": TimedOut, "cancelled": Cancelled}


class Ending:
    """How a run ended: its state, as it is recorded by `word`; `at` and `started_at` in microseconds since 1970.

    `value` is what the flow returned, as far as it was kept.
    """

    __slots__ = ("at", "failure", "message", "started_at", "value", "word")

    def __init__(
        self,
        word: str,
        *,
        at: int,
        started_at: int,
        message: str = "",
        failure: Failure | None = None,
        value: Any = None,
    ) -> None:
        self.word = word
        self.at = at
        self.started_at = started_at
        self.message = message
        self.failure = failure
        self.value = value


def calls_at_end(
    flow: AnyFlow, ending: Ending, parameters: Mapping[str, Any], context: FlowContext
) -> list[HookCall]:
    """The calls of the flow's hooks for this end of a run with these parameters, whose context this becomes."""
    if isinstance(flow, FunctionFlow):
        calls = _of_function(flow, ending, parameters, context)
    elif isinstance(flow, Flow):
        calls = _of_graph(flow, ending, parameters, context)
    else:
        raise TypeError(f"{flow!r} is a flow of no style that is known here")
    context.started_at = ending.started_at
    return calls


def _of_function(
    flow: FunctionFlow, ending: Ending, parameters: Mapping[str, Any], context: FlowContext
) -> list[HookCall]:
    if flow.hooks is None:
        return []
    try:
        kwargs = coerced(flow.fn, parameters, flow=flow.name)
    except Exception:  # border: they did not fit, perhaps, and that is why the run failed
        kwargs = dict(parameters)
    FunctionRun(flow, context, outer=None).prepare((), kwargs)
    context.started_at = ending.started_at
    state = State.recorded(
        ending.word, message=ending.message, data=ending.value, failure=ending.failure, at=ending.at
    )
    return flow.hooks.calls(flow, FlowRunInfo(context), state)


def _of_graph(
    flow: Flow, ending: Ending, parameters: Mapping[str, Any], context: FlowContext
) -> list[HookCall]:
    context.flow, context.parameters = flow, dict(parameters)
    if flow.tags:
        context.tags = tuple(dict.fromkeys((*context.tags, *flow.tags)))
    kind = _OF_GRAPH.get(ending.word, Failed)
    state: GraphState = kind(ending.message, ending.value, failure=ending.failure)
    calls = [HookCall(handler, (flow, Running(), state)) for handler in flow.state_handlers]
    if flow.on_failure is not None and state.is_failed():
        calls.append(HookCall(flow.on_failure, (flow, state)))
    return calls
