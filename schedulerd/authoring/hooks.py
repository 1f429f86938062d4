"""Functions that are called when a flow or task comes to a state: `on_completion`, `on_failure` and their like.

They are called where the run is, after the state has been decided and before it is the last record. What one of them
raises is told in the log and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.outcomes import is_cancellation

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

    def call(self, subject: Any, run: Any, state: State, context: FlowContext) -> None:
        """Call those for this state, in their order, with the flow or task, its run, and the state."""
        for hook in self._by_name.get(_WHEN.get(state.type, ""), ()):
            name = getattr(hook, "__name__", repr(hook))
            try:
                _finished(hook(subject, run, state))
            except Exception as error:  # border: a hook of the user's
                from schedulerd.authoring.failures import describe_failure

                failure = describe_failure(error, called=hook)
                place = f" ({failure.file}:{failure.line})" if failure.file else ""
                context.log(_ERROR, f"hook {name}{place} raised {failure.type}: {failure.message}")
            except BaseException as error:
                if is_cancellation(error):
                    context.log(_ERROR, f"hook {name} was cut short")
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
