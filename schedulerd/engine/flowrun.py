"""One run of a Python flow, in its own process: load the kept code, execute the flow, write down what happens."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

from schedulerd.authoring.asking import answer_by
from schedulerd.authoring.context import Facts
from schedulerd.authoring.execution import Cancelled, Outcome, execute
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.keeping import FOLDER_VARIABLE, Keeper
from schedulerd.authoring.known import Known
from schedulerd.authoring.loading import loading
from schedulerd.clock import microseconds
from schedulerd.domain.surroundings import Surroundings, has_memory, used_up_cpu
from schedulerd.engine.asking import JournalChannel
from schedulerd.engine.capture import capture
from schedulerd.engine.code import execute_file, find_neighbours, kept
from schedulerd.engine.folders import RUNS
from schedulerd.engine.journal import Journal
from schedulerd.engine.processes import flush_c_streams
from schedulerd.engine.recorder import JournalRecorder
from schedulerd.engine.surroundings import CannotSurround, surround

if TYPE_CHECKING:
    from schedulerd.authoring.flows import AnyFlow


def run_flow(
    request: Mapping[str, Any],
    journal: Journal,
    known: Sequence[Mapping[str, str]] = (),
    *,
    ring: Callable[[], None],
    whisper: Callable[[str, str], None],
) -> int:
    """Carry out the flow of a request, to its last record; the process's exit status.

    `known` is what its tasks came to in an earlier attempt; `ring` has the journal read at once, `whisper` tells
    the daemon what must not stand there.
    """
    keeper, own_pid = keeper_of(request), os.getpid()
    recorder = JournalRecorder(journal, keeper)
    answer_by(channel_of(request, journal, recorder, ring, whisper))
    finish = capture(recorder)
    asked, limits = _Asked(own_pid), Surroundings.from_json(request.get("surroundings", {}))
    signal.signal(signal.SIGTERM, asked.to_end)
    if limits.cpu_seconds:
        signal.signal(signal.SIGXCPU, asked.to_end)
    try:
        outcome = _outcome(request, recorder, None if keeper is None else Known.of_earlier(known, keeper))
    except Cancelled:
        outcome = Outcome("cancelled", message="cancelled while it was loaded")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if limits.cpu_seconds:
        signal.signal(
            signal.SIGXCPU, signal.SIG_IGN
        )  # it comes each second; SIGKILL ends what is not done soon
    outcome = _by_limits(outcome, limits, asked)
    if os.getpid() != own_pid:
        # a process that the flow forked came back this far: it has no say in what the run came to
        if outcome.failure is not None:
            os.write(2, outcome.failure.traceback.encode("utf-8", "replace"))
        return 1
    finish_threads()
    finish()
    recorder.end(outcome.state, outcome.message, outcome.failure, microseconds())
    return 0 if outcome.state == "completed" else 1


def channel_of(
    request: Mapping[str, Any],
    journal: Journal,
    recorder: JournalRecorder,
    ring: Callable[[], None],
    whisper: Callable[[str, str], None],
) -> JournalChannel:
    """Where the run asks. One that is to become another user opens its mailbox while it may."""
    folder = os.path.join(request["state_dir"], RUNS, request["key"])
    channel = JournalChannel(folder, append=journal.append, ring=ring, whisper=whisper, warn=recorder.warn)
    if "user" in request.get("surroundings", {}):
        channel.open()
    return channel


def keeper_of(request: Mapping[str, Any]) -> Keeper | None:
    """What keeps the values of the run; those of cached tasks lie beside them.

    None for a request of an earlier version, which says nothing of that.
    """
    said = request.get("results")
    if said is None:
        return None
    folder = said["folder"]
    os.environ.setdefault(FOLDER_VARIABLE, os.path.dirname(folder))
    return Keeper(folder, limit=int(said["limit"]), storage=str(said.get("storage", "")))


def _outcome(request: Mapping[str, Any], recorder: JournalRecorder, known: Known | None) -> Outcome:
    try:
        flow = load(request, recorder)
    except Cancelled:
        raise
    except CannotSurround as error:
        return Outcome("failed", message=str(error))
    except BaseException as error:  # border: around one user module
        failure = describe_failure(error)
        return Outcome("failed", message=f"{failure.type}: {failure.message}", failure=failure)
    return execute(flow, request["parameters"], recorder, facts=facts_of(request), known=known)


def facts_of(request: Mapping[str, Any]) -> Facts:
    """What the request says of the run, for whoever asks from inside it."""
    said, flow = request.get("environment", {}), request.get("flow", "")
    due = said.get("SCHEDULERD_DUE_AT")
    return Facts(
        id=said.get("SCHEDULERD_RUN_ID"),
        name=f"{flow}#{said['SCHEDULERD_RUN_NUMBER']}" if "SCHEDULERD_RUN_NUMBER" in said else flow,
        attempt=int(said.get("SCHEDULERD_ATTEMPT", 1)),
        due_at=None if due is None else datetime.fromisoformat(due),
        schedule=request.get("schedule"),
        hooks_after=request.get("hooks_after", ()),
        parent_id=request.get("parent"),
        root_id=request.get("root"),
    )


def load(request: Mapping[str, Any], recorder: JournalRecorder) -> "AnyFlow":
    """The flow of the request, from the code of its version, which is read while we may read it."""
    sources = kept(request["version"], code=request["code"])
    surround(request, warn=recorder.warn)
    find_neighbours(request["file"], sources)
    with loading(request["file"], is_known=True) as found:
        # Where it lies now: a copy of the file has the same version, and its manifest may name that.
        module = execute_file(replace(sources[0], path=request["file"]))
    named = next((flow for flow in found.flows if flow.name == request["flow"]), None)
    return named or found.flow(
        request["entrypoint"], vars(module)
    )  # a name may be made when the file is loaded


class _Asked:
    """Has the run been asked to end, and by which signal?"""

    def __init__(self, own_pid: int) -> None:
        self._own_pid = own_pid
        self.by: int | None = None

    def to_end(self, signum: int, frame: FrameType | None) -> None:
        """Cancel the run; a process that the flow forked simply ends, as it would have without us."""
        if os.getpid() != self._own_pid:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
        if self.by == signum == signal.SIGXCPU:
            return  # it is ending already
        self.by = self.by or signum
        raise Cancelled


def _by_limits(outcome: Outcome, limits: Surroundings, asked: _Asked) -> Outcome:
    """The outcome, with the limit that led to it where one did."""
    if outcome.state == "cancelled" and asked.by == signal.SIGXCPU and limits.cpu_seconds:
        return Outcome("timed_out", message=used_up_cpu(limits.cpu_seconds))
    if outcome.failure is not None and outcome.failure.type == "MemoryError" and limits.memory_bytes:
        message = f"{outcome.message} ({has_memory(limits.memory_bytes)})"
        return Outcome(outcome.state, message=message, failure=outcome.failure)
    return outcome


def finish_threads() -> None:
    """What the interpreter does at its end, short of taking itself apart, which a forked process need not do.

    multiprocessing's children end in the same way.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    flush_c_streams()
