"""How a task ended, and what may end more than a task."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.states import State
    from schedulerd.domain.failures import Failure


class Cancelled(BaseException):
    """The run was asked to stop. Raised in the main thread, by a signal handler."""


class TaskOutcome:
    """How a task run ended: `value` where it completed, `error` and `failure` where it did not.

    `state` is a value of `TaskState`. `made` is the state that the task made itself, if it returned one.
    """

    __slots__ = ("attempts", "error", "failure", "made", "message", "number", "state", "value")

    def __init__(
        self,
        number: int,
        state: str,
        *,
        attempts: int,
        value: Any = None,
        error: BaseException | None = None,
        failure: Failure | None = None,
        message: str = "",
        made: State | None = None,
    ) -> None:
        self.number = number
        self.state = state
        self.attempts = attempts
        self.value = value
        self.error = error
        self.failure = failure
        self.message = message
        self.made = made

    @property
    def is_successful(self) -> bool:
        """Did it come to a value?"""
        return self.state == "completed" or self.state == "cached"

    def as_state(self) -> State:
        """As code of the function style sees it."""
        if self.made is not None:
            return self.made
        from schedulerd.authoring.states import State  # late: most tasks are never asked for theirs

        data = self.value if self.is_successful else self.error
        return State.recorded(self.state, message=self.message, data=data, failure=self.failure)

    def given(self) -> Any:
        """The value; raises what ended it where it did not come to one."""
        if self.is_successful:
            return self.value
        if self.error is not None:
            raise self.error
        return self.as_state().result()


def is_cancellation(error: BaseException) -> bool:
    """Was the run asked to stop, from outside or by Ctrl-C?"""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return True
    kind = type(error)  # by name: asyncio costs more to import than everything else here
    return kind.__name__ == "CancelledError" and kind.__module__ == "asyncio.exceptions"


def is_clean_exit(error: SystemExit) -> bool:
    """Would the interpreter end with status 0? A text, even an empty one, means 1."""
    return error.code is None or (isinstance(error.code, int) and error.code == 0)


def exit_call(error: SystemExit) -> str:
    """The call of `sys.exit` as the user may have written it, for messages."""
    from schedulerd.authoring.previews import readable  # late: seldom needed

    return f"sys.exit({0 if error.code is None else readable(error.code)})"
