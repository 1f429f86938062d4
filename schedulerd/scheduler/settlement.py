"""How a run ended: one decision from its last record, its exit, and what had been asked of it. Pure."""

import signal
from dataclasses import dataclass, replace
from typing import Final

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowKind
from schedulerd.domain.signal_names import signal_name
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings, has_memory, used_up_cpu
from schedulerd.engine.notes import Exit

NO_LIMITS: Final = Surroundings()

_OF_A_SHELL: Final = 128  # what a shell adds to the signal that ended its command
_FOR_WANT_OF_MEMORY: Final = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL})


@dataclass(frozen=True, kw_only=True, slots=True)
class LastWord:
    """The last record of a run's journal: what its own process says it came to.

    `code` is there where it is the keeper's: an exit status, or a signal as its negative.
    """

    state: RunState
    message: str = ""
    failure: Failure | None = None
    code: int | None = None

    def after(self, earlier: "LastWord | None") -> "LastWord":
        """Which of two counts: a keeper has nothing to add to what its command's own process said before."""
        return self if earlier is None or self.code is None else earlier


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The final state of a run, with the reason for a person.

    An empty reason leaves the one that is known (who wanted it cancelled, and why); `manner` is how it went down.
    """

    state: RunState
    reason: str = ""
    manner: str = ""
    failure: Failure | None = None


def settle(
    *,
    was: RunState,
    kind: FlowKind,
    last_word: LastWord | None,
    ended: Exit | None,
    limits: Surroundings = NO_LIMITS,
) -> Verdict:
    """What an attempt whose process has ended came to.

    What it was told to do comes first (a cancelled run is cancelled, however it went down), then its own last word,
    then what the operating system says. `ended` None: nobody could wait for it. `limits` may be why it ended.
    """
    verdict = _settle(was=was, kind=kind, last_word=last_word, ended=ended)
    if verdict.state not in (RunState.CRASHED, RunState.FAILED) or (ended is not None and ended.stopped):
        return verdict
    return _by_limits(verdict, _code(last_word, ended), ended, limits)


def _settle(*, was: RunState, kind: FlowKind, last_word: LastWord | None, ended: Exit | None) -> Verdict:
    stopped = ended.stopped if ended else None
    if was is RunState.CANCELLING or stopped == "cancel":
        # one that was told to end before that could be recorded: only a daemon that stops does so
        reason = "" if was is RunState.CANCELLING else "the daemon stopped"
        manner = last_word.message if last_word else _manner(ended)
        return Verdict(state=RunState.CANCELLED, reason=reason, manner=manner)
    if stopped == "timeout":
        return _timed_out(last_word)
    if stopped is not None:
        return Verdict(state=RunState.CRASHED, reason=f"could not be started ({stopped})")
    if last_word is not None:
        return Verdict(state=last_word.state, reason=last_word.message, failure=last_word.failure)
    if kind is FlowKind.COMMAND and ended is not None and ended.status is not None:
        return _command(ended.status)
    return Verdict(state=RunState.CRASHED, reason=_manner(ended))


def _timed_out(last_word: LastWord | None) -> Verdict:
    failure = last_word.failure if last_word else None
    return Verdict(state=RunState.TIMED_OUT, reason="ended at its time limit", failure=failure)


def _code(last_word: LastWord | None, ended: Exit | None) -> int | None:
    """How the process ended: an exit status, or a signal as its negative."""
    if ended is not None and ended.signal is not None:
        return -ended.signal
    if ended is not None and ended.status is not None:
        return ended.status
    return None if last_word is None else last_word.code


def _by_limits(verdict: Verdict, code: int | None, ended: Exit | None, limits: Surroundings) -> Verdict:
    """The verdict, with the limit that led to it where one did."""
    if code is None:
        return verdict
    if limits.cpu_seconds and _is_out_of_cpu(code, ended, limits.cpu_seconds):
        return Verdict(state=RunState.TIMED_OUT, reason=used_up_cpu(limits.cpu_seconds))
    if limits.memory_bytes and (-code in _FOR_WANT_OF_MEMORY or code - _OF_A_SHELL in _FOR_WANT_OF_MEMORY):
        return replace(verdict, reason=f"{verdict.reason} ({has_memory(limits.memory_bytes)})")
    return verdict


def _is_out_of_cpu(code: int, ended: Exit | None, limit: int) -> bool:
    """Did the kernel end it for its processor time: by SIGXCPU, or by SIGKILL where it paid no heed to that?"""
    if code in (-signal.SIGXCPU, _OF_A_SHELL + signal.SIGXCPU):
        return True
    used = ended.cpu_ms if ended is not None else None
    killed = code in (-signal.SIGKILL, _OF_A_SHELL + signal.SIGKILL)
    return killed and used is not None and used >= limit * 1_000


def word_of_keeper(code: int) -> LastWord:
    """What the end of a command came to, as its keeper wrote it down: an exit status, or a signal as its negative."""
    if code < 0:
        return LastWord(state=RunState.CRASHED, message=f"killed by {signal_name(-code)}", code=code)
    verdict = _command(code)
    return LastWord(state=verdict.state, message=verdict.reason, code=code)


def _command(status: int) -> Verdict:
    if status == 0:
        return Verdict(state=RunState.COMPLETED)
    meaning = {126: ": found but not executable", 127: ": command not found"}.get(status, "")
    return Verdict(state=RunState.FAILED, reason=f"exit status {status}{meaning}")


def _manner(ended: Exit | None) -> str:
    if ended is None or (ended.status is None and ended.signal is None):
        return "its process went away; exit status unknown"
    if ended.signal is not None:
        return f"killed by {signal_name(ended.signal)}"
    return f"its process exited with status {ended.status} without a last word"
