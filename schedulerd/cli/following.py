"""Waiting for runs to end, and following their logs: both look every 0.2 s, and end by themselves."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli import errors
from schedulerd.cli.invocation import Invocation
from schedulerd.domain.states import FINAL, RunState
from schedulerd.errors import WaitTimeout
from schedulerd.garbage import look_for_garbage_again

if TYPE_CHECKING:
    from schedulerd.domain.child_runs import AnyRun
    from schedulerd.operations.runs import LineFilter, LogPage

_LOOK_SECONDS: Final = 0.2
_CODES: Final = {
    RunState.COMPLETED: errors.SUCCESS,
    RunState.FAILED: errors.RUN_FAILED,
    RunState.CANCELLED: errors.RUN_CANCELLED,
    RunState.SKIPPED: errors.RUN_CANCELLED,
    RunState.CRASHED: errors.RUN_CRASHED,
    RunState.TIMED_OUT: errors.RUN_CRASHED,
}


def end_code(state: RunState) -> int:
    """The exit code of a wait for a run that ended in this state; 0 for one that goes on."""
    return _CODES.get(state, errors.SUCCESS)


def wait_for_ends(
    invocation: Invocation, runs: "Sequence[AnyRun]", *, timeout: timedelta | None
) -> "tuple[list[AnyRun], int]":
    """The runs as they ended, and the worst of their exit codes. Raises `WaitTimeout`."""
    look = _Looks(invocation, timeout)
    _tell_who_waits(invocation, runs)
    ended = list(runs)
    with _interruptible(invocation, runs):
        for number, run in enumerate(runs):
            while ended[number].state not in FINAL:
                look.again(run.selector)
                ended[number] = invocation.operations.runs.look(run)
    return ended, max((end_code(run.state) for run in ended), default=errors.SUCCESS)


def follow_log(
    invocation: Invocation,
    page: "LogPage",
    wanted: "LineFilter",
    show: "Callable[[LogPage], None]",
    *,
    timeout: timedelta | None = None,
) -> "AnyRun":
    """Show a page and what comes after it, until the run has ended; the run as it ended."""
    look = _Looks(invocation, timeout)
    if not page.lines:
        _tell_who_waits(invocation, [page.run])
    with _interruptible(invocation, [page.run]):
        show(page)
        while page.run.state not in FINAL:
            look.again(page.run.selector)
            page = invocation.operations.runs.lines_after(page.run, wanted, after=page.seen)
            show(page)
    return page.run


class _Looks:
    """The pauses between looks, and their end."""

    def __init__(self, invocation: Invocation, timeout: timedelta | None) -> None:
        look_for_garbage_again()  # it may look for days
        self._clock: Final = invocation.clock
        self._timeout: Final = timeout
        self._deadline: Final = None if timeout is None else self._clock.monotonic() + timeout.total_seconds()
        self._pause: Final = Event()

    def again(self, what: str) -> None:
        """Wait for the next look. Raises `WaitTimeout` when the time is over."""
        left = _LOOK_SECONDS
        if self._deadline is not None:
            left = min(left, self._deadline - self._clock.monotonic())
        if left <= 0:
            raise WaitTimeout(
                f"{what} has not ended in time; it goes on", mend=f"`schedulerd runs wait {what}` waits again"
            )
        self._pause.wait(left)


class _interruptible:  # noqa: N801  used as `with _interruptible(...)`
    """Ctrl-C ends the looking, not the runs, and that is said."""

    def __init__(self, invocation: Invocation, runs: "Sequence[AnyRun]") -> None:
        self._invocation: Final = invocation
        self._names: Final = ", ".join(run.selector for run in runs)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            self._invocation.output.say(f"\n{self._names} goes on; `schedulerd runs cancel` would end it")


def _tell_who_waits(invocation: Invocation, runs: "Sequence[AnyRun]") -> None:
    waiting = [run.selector for run in runs if run.state is RunState.SCHEDULED]
    if waiting and invocation.operations.daemon.pid() is None:
        invocation.output.say(f"{', '.join(waiting)} waits for a daemon: start one with `schedulerd start`")


def end_words(run: "AnyRun", duration: str) -> str:
    """`✓ completed in 1m 58s`."""
    from schedulerd.cli.states import state_cell

    cell = state_cell(run.state.value)
    said = f"{cell.text} in {duration}" if duration else cell.text
    return click.style(said, fg=cell.color)
