"""Signals: exceptions by which a task of the graph style says itself how it ends. Prefect 1's."""

from __future__ import annotations

from schedulerd.authoring import graph_states as states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Signal(Exception):
    """Raised in a task: the task ends in `state`, which has this message and, where it is given, this result."""

    kind: type[states.State] = states.Failed

    def __init__(self, message: str | None = None, *args: Any, **more: Any) -> None:
        super().__init__("" if message is None else message, *args)
        more.setdefault("result", self)
        self.state = self.kind(message, **more)

    def __reduce__(self) -> Any:
        return _again, (type(self), *self.args), self.__dict__


def _again(kind: type[Signal], *args: Any) -> Signal:
    """A signal that comes from another process; its state comes after it."""
    signal = kind.__new__(kind, *args)
    signal.args = args
    return signal


class FAIL(Signal):
    """It failed; it is tried again where it has retries."""


class TRIGGERFAIL(FAIL):
    """What came before it did not end as it asks."""

    kind = states.TriggerFailed


class VALIDATIONFAIL(FAIL):
    """What it was given, or would return, is not valid."""

    kind = states.ValidationFailed


class SUCCESS(Signal):
    """It completed, with `result` as its value; None unless that is given."""

    kind = states.Success

    def __init__(self, message: str | None = None, *args: Any, **more: Any) -> None:
        more.setdefault("result", None)
        super().__init__(message, *args, **more)


class SKIP(SUCCESS):
    """It is left out, and so is what comes after it, unless that says `skip_on_upstream_skip=False`."""

    kind = states.Skipped


class RETRY(Signal):
    """Another attempt, at `start_time` or at once, whatever `max_retries` says."""

    kind = states.Retrying


class LOOP(Signal):
    """Once more, at once; `result` is then `context.task_loop_result`."""

    kind = states.Looped


class PAUSE(Signal):
    """It waits for somebody's approval, or for `start_time`, and is then attempted again, with `context.resume`."""

    kind = states.Paused


class ENDRUN(Signal):
    """It ends in exactly this state, and is not tried again."""

    def __init__(self, state: states.State) -> None:
        if not isinstance(state, states.State):
            raise TypeError(f"ENDRUN needs a state such as Failed('why'), not {state!r}")
        super().__init__(state.message)
        self.state = state


PrefectStateSignal = Signal

_BY_STATE: dict[type[states.State], type[Signal]] = {
    states.Skipped: SKIP,
    states.Success: SUCCESS,
    states.TriggerFailed: TRIGGERFAIL,
    states.ValidationFailed: VALIDATIONFAIL,
    states.Failed: FAIL,
    states.Retrying: RETRY,
    states.Paused: PAUSE,
    states.Looped: LOOP,
}


def signal_from_state(state: states.State) -> Signal:
    """The signal that ends a task in this state."""
    for kind, signal in _BY_STATE.items():
        if isinstance(state, kind):
            return signal(state.message, result=state.result)
    raise ValueError(f"no signal ends a task in the state {state!r}")
