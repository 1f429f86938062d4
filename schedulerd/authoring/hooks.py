"""Functions that are called when a flow or task comes to a state: `on_completion`, `on_failure` and their like.

Those of tasks, and of flows in plain Python, are called where the run is, after the state has been decided and before it
is the last record. The daemon has those for the end of a flow's run called in a process of their own. What one of them
raises is told in the log and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.outcomes import is_cancellation
from schedulerd.authoring.previews import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.states import State

    Hook = Callable[..., Any]

_ERROR: Final = 40
_WHEN: Final = {
    "RUNNING": "on_running",
    "COMPLETED": "on_completion",
    "FAILED": "on_failure",
    "CANCELLED": "on_cancellation",
    "CRASHED": "on_crashed",
}
# For which ends of a run they are called, by the words of `RunState`.
ENDS: Final = {
    "on_completion": ("completed",),
    "on_failure": ("failed", "timed_out"),
    "on_cancellation": ("cancelled",),
    "on_crashed": ("crashed",),
}


class Hooks:
    """The hooks of one flow or task, by when they are called."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[Hook]] = {}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Hooks | None:
        """The hooks that these options give, each a function or a list of such; None where they give none."""
        hooks = cls()
        for name, value in given.items():
            for hook in () if value is None else value if isinstance(value, list | tuple) else (value,):
                hooks.add(name, hook)
        return hooks if hooks._by_name else None

    def add(self, name: str, hook: Hook) -> None:
        """One more, for `on_failure` say."""
        if not callable(hook):
            raise TypeError(f"{name} must be a list of functions (flow or task, run, state), not of {hook!r}")
        self._by_name.setdefault(name, []).append(hook)

    def ends(self) -> frozenset[str]:
        """The final states, as they are recorded, for which there are any."""
        return frozenset(word for name in self._by_name for word in ENDS.get(name, ()))

    def calls(self, subject: Any, run: Any, state: State) -> list[HookCall]:
        """The calls for this state, in their order, with the flow or task, its run, and the state."""
        return [
            HookCall(hook, (subject, run, state)) for hook in self._by_name.get(_WHEN.get(state.type, ""), ())
        ]

    def call(self, subject: Any, run: Any, state: State, context: FlowContext) -> None:
        """Make those calls."""
        for call in self.calls(subject, run, state):
            call.make(context)


class HookCall:
    """One call of a hook, with what it is given."""

    __slots__ = ("_args", "_hook")

    def __init__(self, hook: Hook, args: tuple[Any, ...]) -> None:
        self._hook = hook
        self._args = args

    @property
    def name(self) -> str:
        """The hook's name, as its function has it."""
        return str(getattr(self._hook, "__name__", None) or readable(self._hook))

    def __str__(self) -> str:
        code = getattr(self._hook, "__code__", None)
        return self.name if code is None else f"{self.name} ({code.co_filename}:{code.co_firstlineno})"

    def make(self, context: FlowContext) -> None:
        """Call it. An `Exception` of it is told in the log; what is meant to end the whole run is told and raised."""
        try:
            _finished(self._hook(*self._args))
        except Exception as error:  # border: a hook of the user's
            from schedulerd.authoring.failures import describe_failure

            failure = describe_failure(error, called=self._hook)
            place = f" ({failure.file}:{failure.line})" if failure.file else ""
            context.log(_ERROR, f"hook {self.name}{place} raised {failure.type}: {failure.message}")
        except BaseException as error:
            if is_cancellation(error):
                context.log(_ERROR, f"hook {self.name} was cut short")
            raise


def _finished(made: Any) -> None:
    """See an async hook through, in a loop of its own."""
    if not hasattr(made, "__await__"):
        return
    import asyncio
    from threading import Thread

    async def finish() -> None:
        await made

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(finish())
        return
    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(finish())
        except BaseException as error:  # border: raised again where it was called
            errors.append(error)

    thread = Thread(
        target=run
    )  # the loop of the async flow that we are called from must not be entered twice
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
