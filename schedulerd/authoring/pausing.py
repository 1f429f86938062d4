"""A run that waits for somebody's decision."""

from __future__ import annotations

import sys
from itertools import count
from typing import TYPE_CHECKING

from schedulerd.authoring.asking import ask, is_by_daemon
from schedulerd.authoring.context import flow_run
from schedulerd.authoring.dual import dual
from schedulerd.authoring.refusals import MissingContext, Refused
from schedulerd.authoring.wanted import Unfit, Wanted
from schedulerd.clock import microseconds
from schedulerd.errors import SchedulerdError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from uuid import UUID

_LONGEST_SECONDS = 366 * 24 * 3_600.0
_numbers = count(1)


class Rejected(SchedulerdError, RuntimeError):
    """Somebody decided that the run is not to go on."""


class PauseTimedOut(SchedulerdError, TimeoutError):
    """Nobody decided in time whether the run goes on."""


def pause_flow_run(
    wait_for_input: Any = None,
    timeout: float = 3600,
    poll_interval: float = 10,
    key: str | None = None,
    *,
    message: str = "",
) -> Any:
    """Wait until somebody approves (`schedulerd runs approve RUN`); in async code this is awaited.

    With `wait_for_input`, a pydantic model or a type, it is what they are to give, and this returns it. A key is decided
    about once in a run, whatever its attempts; without one the how-manieth pause it is counts. Raises `Rejected`, and
    `PauseTimedOut` after `timeout` seconds. `poll_interval` is Prefect's, and does nothing.
    """
    return dual(lambda: _pause(wait_for_input, timeout, key, message))


def suspend_flow_run(
    wait_for_input: Any = None, timeout: float = 3600, key: str | None = None, *, message: str = ""
) -> Any:
    """The same as `pause_flow_run`: a run that waits takes no place, and need not end for it."""
    return dual(lambda: _pause(wait_for_input, timeout, key, message))


def resume_flow_run(flow_run_id: UUID | str, run_input: Mapping[str, Any] | None = None) -> Any:
    """Let a run that waits for approval go on; in async code this is awaited. Raises `ValueError` for one that does not wait."""
    given = None if run_input is None else dict(run_input)
    return dual(lambda: ask("run.resume", id=str(flow_run_id), given=given) and None)


def wait_for_approval(message: str, *, key: str, seconds: float | None) -> None:
    """Wait until somebody approves. Raises `Rejected`, and `PauseTimedOut` after so many seconds; None: whenever it is."""
    _pause(None, _LONGEST_SECONDS if seconds is None else seconds, key, message)


def _pause(wanted: Any, timeout: float, key: str | None, message: str) -> Any:
    if flow_run.get() is None:
        raise MissingContext("there is no run here: pause_flow_run() is for code within a flow")
    if not isinstance(timeout, int | float) or timeout <= 0:
        raise ValueError(f"timeout has to be seconds, more than 0, not {timeout!r}")
    name = str(key or next(_numbers))
    if not is_by_daemon():
        return _asked_at_the_terminal(wanted, name, message)
    given = Wanted(wanted)
    until = microseconds() + round(min(timeout, _LONGEST_SECONDS) * 1_000_000)
    question = {"key": name, "until": until, "message": message, "schema": given.schema()}
    for number in count(2):
        answer = _decision(question, timeout)
        try:
            return given.fitted(answer.get("given"))
        except Unfit as error:
            again = {"key": f"{name} again {number}", "repeats": question["key"], "misfit": str(error)}
            question |= again
    raise AssertionError


def _decision(question: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
    answer = ask("pause", _is_long=True, **question)
    if answer.get("timed_out"):
        raise PauseTimedOut(f"nobody has approved within {timeout:g} s")
    if not answer.get("approved"):
        reason = f": {answer['reason']}" if answer.get("reason") else ""
        raise Rejected(f"rejected by {answer.get('by')}{reason}")
    return answer


def _asked_at_the_terminal(wanted: Any, key: str, message: str) -> Any:
    """In plain Python whoever started the flow decides, where there is somebody."""
    if not sys.stdin.isatty() or wanted is not None:
        raise Refused(
            "the flow waits for approval, and no daemon runs it that could be told",
            mend="have the daemon run it; or start it in a terminal, where you are asked",
        )
    sys.stderr.write(f"{message or f'pause {key}'}: go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Rejected("rejected at the terminal")
    return None
