"""A call of a task on a worker of a Dask cluster: what runs there."""

from __future__ import annotations

import logging
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import FlowContext, flow_run, task_run
from schedulerd.authoring.outcomes import is_cancellation
from schedulerd.authoring.parcels import NotSendable, Shared, packed_whole, unpacked
from schedulerd.authoring.redacting import given
from schedulerd.authoring.relays import RelayHandler, RelayRecorder, RelayStream, numbers_there
from schedulerd.authoring.sent_runs import remade
from schedulerd.authoring.task_values import TaskTimedOut, value_here
from schedulerd.clock import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from schedulerd.authoring.task_runs import TaskRun

VALUE: Final = "value"
ERROR: Final = "error"
TIMED_OUT: Final = "timed out"
CANCELLED: Final = "cancelled"

# Flow runs of this process, by the token under which their tasks are sent: a cluster may have its workers here.
here: dict[str, FlowContext] = {}


def call_there(content: bytes, token: str, call: str) -> bytes:
    """Call the task that was sent: how that ended, how many records were told, and which secrets are not to be."""
    said: dict[str, Any] = unpacked(content, Shared(()))
    given.add_forms(said["secrets"])
    outer = here.get(token)
    recorder = None if outer is not None else RelayRecorder(_teller(token, call))
    context = _context(said, recorder, outer)
    if recorder is not None:
        _listen(said["is_by_daemon"])
    answer = copy_context().run(_called, said, context)
    _finish_lines()
    told = 0 if recorder is None else recorder.told
    what = f"what task {said['run']['task'].name!r} returned"
    try:
        return packed_whole((*answer, told, given.forms), what=what)
    except NotSendable as error:
        failed = (ERROR, (error, _failure(error, None)))
        return packed_whole((*failed, told, given.forms), what=what)


def _called(said: dict[str, Any], context: FlowContext) -> tuple[str, Any]:
    run = remade(said["run"], context)
    flow_run.set(context)
    task_run.set(run)
    try:
        value = value_here(run)
        context.let_go()
    except TaskTimedOut:
        return TIMED_OUT, None
    except BaseException as error:  # border: around one task of the user's
        if is_cancellation(error):
            return CANCELLED, None
        failure = _failure(error, run)
        return ERROR, (_sendable(error, failure), failure)
    return VALUE, value


def _context(said: dict[str, Any], recorder: RelayRecorder | None, outer: FlowContext | None) -> FlowContext:
    """The flow run as it is on this worker; tasks called within the task run here, in threads."""
    from schedulerd.authoring.runners import ThreadPoolTaskRunner

    told_to: Any = recorder if outer is None else outer.recorder
    context = FlowContext(said["name"], told_to, now=microseconds, facts=said["facts"])
    context.numbers = context.numbers_within = numbers_there()
    if outer is not None:
        context.numbers, context.numbers_within = outer.numbers, outer.numbers_within
    context.runner_kind = ThreadPoolTaskRunner()
    context.flow = None if outer is None else outer.flow
    for name in ("parameters", "tags", "log_prints", "started_at", "within"):
        setattr(context, name, said[name])
    return context


def _teller(token: str, call: str) -> Callable[[bytes], None]:
    from distributed import get_worker

    worker = get_worker()
    return lambda content: worker.log_event(token, {"call": call, "record": content})


def _listen(is_by_daemon: bool) -> None:
    """Have what tasks log, and under a daemon what they print, told to where their flow is."""
    from schedulerd.authoring.console import run_logger

    logger = run_logger() if not is_by_daemon else logging.getLogger()
    if not any(isinstance(handler, RelayHandler) for handler in logger.handlers):
        logger.handlers[:] = [RelayHandler()]
        logger.propagate = logger.parent is None
        logger.setLevel(logging.INFO)
    if not is_by_daemon:
        return
    if not isinstance(sys.stdout, RelayStream):
        sys.stdout = RelayStream(sys.stdout, "stdout")
        sys.stderr = RelayStream(sys.stderr, "stderr")


def _finish_lines() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, RelayStream):
            stream.finish()


def _failure(error: BaseException, run: TaskRun | None) -> Any:
    from schedulerd.authoring.failures import describe_failure

    if run is None:
        return describe_failure(error)
    return describe_failure(error, task=run.name, called=run.task.fn)


def _sendable(error: BaseException, failure: Any) -> BaseException:
    """The exception, or where it cannot be made again elsewhere one that tells it."""
    try:
        unpacked(packed_whole(error, what="the exception"), Shared(()))
    except Exception:  # border: its class is the user's
        return RuntimeError(f"{failure.type}: {failure.message}")
    return error
