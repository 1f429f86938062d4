"""One run of a Python flow, in its own process: load the kept code, execute the flow, write down what happens."""

import atexit
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from schedulerd.authoring.execution import Cancelled, Outcome, execute
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.loading import loading
from schedulerd.clock import microseconds
from schedulerd.engine.capture import capture
from schedulerd.engine.code import execute_file, find_neighbours, kept
from schedulerd.engine.journal import Journal
from schedulerd.engine.recorder import JournalRecorder

if TYPE_CHECKING:
    from schedulerd.authoring.flows import AnyFlow


def run_flow(request: Mapping[str, Any], journal: Journal) -> int:
    """Carry out the flow of a request, to its last record; the process's exit status."""
    recorder = JournalRecorder(journal)
    finish = capture(recorder)
    signal.signal(signal.SIGTERM, _cancel)
    try:
        outcome = _outcome(request, recorder)
    except Cancelled:
        outcome = Outcome("cancelled", message="cancelled while it was loaded")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _finish_threads()
    finish()
    recorder.end(outcome.state, outcome.message, outcome.failure, microseconds())
    return 0 if outcome.state == "completed" else 1


def _outcome(request: Mapping[str, Any], recorder: JournalRecorder) -> Outcome:
    try:
        flow = _load(request)
    except Cancelled:
        raise
    except BaseException as error:  # border: around one user module
        failure = describe_failure(error)
        return Outcome("failed", message=f"{failure.type}: {failure.message}", failure=failure)
    return execute(flow, request["parameters"], recorder)


def _load(request: Mapping[str, Any]) -> "AnyFlow":
    """The flow of the request, from the code of its version."""
    sources = kept(request["version"], code=Path(request["code"]))
    find_neighbours(request["file"], sources)
    with loading(request["file"]) as found:
        module = execute_file(sources[0])
    return found.flow(request["entrypoint"], vars(module))


def _cancel(signum: int, frame: FrameType | None) -> None:
    raise Cancelled


def _finish_threads() -> None:
    """What the interpreter does at its end, short of taking itself apart, which a forked process need not do.

    multiprocessing's children end in the same way.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
