"""A whole flow run, for the process that holds it: every way in which user code can end becomes an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.context import FlowContext
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.keeping import keep_or_tell
from schedulerd.authoring.previews import preview, shortened
from schedulerd.authoring.running import Cancelled, exit_call, is_cancellation, is_clean_exit
from schedulerd.clock import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from schedulerd.authoring.context import Facts
    from schedulerd.authoring.flows import AnyFlow
    from schedulerd.authoring.keeping import Kept
    from schedulerd.authoring.known import Known
    from schedulerd.authoring.recording import Ended, Recorder
    from schedulerd.domain.failures import Failure

_ENDS = frozenset({"completed", "failed", "timed_out", "crashed", "cancelled"})

__all__ = ["Cancelled", "Outcome", "execute", "outcome_of", "outcome_of_error"]


class Outcome:
    """How a flow run ended: `state` is completed, failed or cancelled; `result` a preview of what it returned."""

    __slots__ = ("failure", "kept", "message", "result", "state")

    def __init__(
        self,
        state: str,
        *,
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.state = state
        self.message = message
        self.failure = failure
        self.result = result
        self.kept = kept


def execute(
    flow: AnyFlow,
    parameters: Mapping[str, Any],
    recorder: Recorder,
    *,
    now: Callable[[], int] = microseconds,
    facts: Facts | None = None,
    known: Known | None = None,
) -> Outcome:
    """Run a flow with parameters from JSON. Raises nothing that user code raises: it is in the outcome.

    A result is recorded too, as a preview.
    """
    context = FlowContext(flow.name, recorder, now=now, facts=facts)
    context.known = known
    try:
        state = flow.perform(parameters, context)
        outcome = outcome_of(state, flow.value(state), context)
    except BaseException as error:  # border: whatever ends user code ends the run with a reason
        outcome = outcome_of_error(error, context, called=getattr(flow, "fn", None))
    if outcome.result is not None:
        recorder.result(outcome.result, now(), kept=outcome.kept)
    return outcome


def _kept(value: Any, context: FlowContext) -> tuple[str | None, Kept | None]:
    """What people are shown of what the flow returned, and the value as it is kept, where it is."""
    if value is None:
        return None, None
    if context.recorder.keeper is None:
        return preview(value), None
    return keep_or_tell(
        value,
        context,
        "what the flow returned",
        storage=getattr(context.flow, "result_storage", None),
    )


def outcome_of(state: Ended, value: Any, context: FlowContext) -> Outcome:
    """The outcome of a run that came to this state with this value, which is kept where the run's are."""
    result, kept = _kept(value, context)
    message = shortened(state.message or "", limit=1_024)
    if state.word not in _ENDS:
        return Outcome("failed", message=f"the flow returned the state {state.word}, which is no end")
    return Outcome(state.word, message=message, failure=state.failure, result=result, kept=kept)


def outcome_of_error(error: BaseException, context: FlowContext, *, called: object = None) -> Outcome:
    """The outcome of a run that this ended."""
    task = context.task_of(error)
    return (
        _of_exit(error, task=task)
        if isinstance(error, SystemExit)
        else _of_error(error, task=task, called=called)
    )


def _of_exit(error: SystemExit, *, task: str | None) -> Outcome:
    if is_clean_exit(error):
        return Outcome("completed", message="sys.exit(0)")
    message = f"the flow called {exit_call(error)}"
    return Outcome("failed", message=message, failure=describe_failure(error, task=task, message=message))


def _of_error(error: BaseException, *, task: str | None, called: object) -> Outcome:
    if is_cancellation(error):
        return Outcome("cancelled", message="cancelled")
    failure = describe_failure(error, task=task, called=called)
    text = f"{failure.type}: {failure.message}" if failure.message else failure.type
    return Outcome("failed", message=shortened(text, limit=1_024), failure=failure)
