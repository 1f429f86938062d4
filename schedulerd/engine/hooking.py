"""The hooks of a run that has ended, in a process of their own: load the kept code, call them, write down what they say."""

import os
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from schedulerd.authoring.asking import answer_by
from schedulerd.authoring.context import FlowContext, flow_run
from schedulerd.authoring.endings import Ending, calls_at_end
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.outcomes import exit_call
from schedulerd.clock import microseconds
from schedulerd.engine.capture import capture
from schedulerd.engine.flowrun import channel_of, facts_of, finish_threads, keeper_of, load
from schedulerd.engine.inspection import failure_from_json
from schedulerd.engine.journal import Journal
from schedulerd.engine.recorder import JournalRecorder
from schedulerd.engine.surroundings import CannotSurround

if TYPE_CHECKING:
    from schedulerd.authoring.hooks import HookCall

_WARNING, _ERROR = 30, 40
_DONE: Final = "completed"


def call_hooks(
    request: Mapping[str, Any],
    journal: Journal,
    *,
    ring: Callable[[], None],
    whisper: Callable[[str, str], None],
) -> int:
    """Call the hooks of a request, one after the other, to the last record; the process's exit status.

    The record `hook` says which is being called, so that it is known should it end the process. What they raise is told
    in the log of the run. `ring` and `whisper` are for what they ask.
    """
    recorder, own_pid = JournalRecorder(journal), os.getpid()
    finish = capture(recorder)
    answer_by(channel_of(request, journal, recorder, ring, whisper))
    context = FlowContext(request["flow"], recorder, now=microseconds, facts=facts_of(request))
    for call in _calls(request, recorder, context):
        journal.append({"k": "hook", "t": microseconds(), "m": str(call)})
        _make(call, context)
        if os.getpid() != own_pid:
            return 1  # a process that the hook forked came back this far: it has nothing to say
    finish_threads()
    finish()
    recorder.end(_DONE, "", None, microseconds())
    return 0


def _calls(request: Mapping[str, Any], recorder: JournalRecorder, context: FlowContext) -> "list[HookCall]":
    """The calls that are to be made; none where the flow cannot be loaded any more, which the log says."""
    try:
        flow = load(request, recorder)
        return calls_at_end(flow, _ending(request, context), request["parameters"], context)
    except CannotSurround as error:
        context.log(_ERROR, f"its hooks cannot be called: {error}")
    except BaseException as error:  # border: around one user module
        failure = describe_failure(error)
        place = f" ({failure.file}:{failure.line})" if failure.file else ""
        context.log(
            _ERROR,
            f"its hooks cannot be called: loading the flow{place} raised {failure.type}: {failure.message}",
        )
    return []


def _ending(request: Mapping[str, Any], context: FlowContext) -> Ending:
    said = request["ending"]
    return Ending(
        said["state"],
        at=said["at"],
        started_at=said["started_at"],
        message=said["message"],
        failure=None if said["failure"] is None else failure_from_json(said["failure"]),
        value=_value(request, context),
    )


def _value(request: Mapping[str, Any], context: FlowContext) -> Any:
    """What the flow returned, as far as it was kept."""
    kept, keeper = request["ending"]["value"], keeper_of(request)
    if kept is None or keeper is None:
        return None
    try:
        return keeper.load(kept["kind"], b64decode(kept["content"]), kept["file"])
    except Exception as error:  # border: reading a pickle runs code of the user's
        context.log(_WARNING, f"what the flow returned cannot be given to its hooks: {error}")
        return None


def _make(call: "HookCall", context: FlowContext) -> None:
    token = flow_run.set(context)
    try:
        call.make(context)
    except SystemExit as error:
        context.log(_ERROR, f"hook {call} called {exit_call(error)}")
    except BaseException as error:  # border: the next hook is called whatever ended this one
        context.log(_ERROR, f"hook {call} raised {type(error).__name__}: {error}")
    finally:
        flow_run.reset(token)
