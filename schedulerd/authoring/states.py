"""How a flow or task ended, as user code of the function style sees it."""

from __future__ import annotations

from schedulerd.clock import microseconds, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, ClassVar, Final

    from schedulerd.domain.failures import Failure


class StateType(str):
    """The kind of a state: a text such as `COMPLETED`, with `name` and `value` as an enumeration's member has them."""

    __slots__ = ()

    SCHEDULED: ClassVar[StateType]
    PENDING: ClassVar[StateType]
    RUNNING: ClassVar[StateType]
    PAUSED: ClassVar[StateType]
    CANCELLING: ClassVar[StateType]
    COMPLETED: ClassVar[StateType]
    FAILED: ClassVar[StateType]
    CRASHED: ClassVar[StateType]
    CANCELLED: ClassVar[StateType]

    @property
    def name(self) -> str:
        """The text itself."""
        return str(self)

    @property
    def value(self) -> str:
        """The text itself."""
        return str(self)

    def __repr__(self) -> str:
        return f"StateType.{self}"


for _name in (
    *("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"),
    *("COMPLETED", "FAILED", "CRASHED", "CANCELLED"),
):
    setattr(StateType, _name, StateType(_name))

FINAL: Final = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)

# What is recorded, as a type and the name that people know from Prefect 3.
_RECORDED: Final = {
    "scheduled": (StateType.SCHEDULED, "Scheduled"),
    "pending": (StateType.PENDING, "Pending"),
    "running": (StateType.RUNNING, "Running"),
    "retrying": (StateType.SCHEDULED, "AwaitingRetry"),
    "paused": (StateType.PAUSED, "Paused"),
    "cancelling": (StateType.CANCELLING, "Cancelling"),
    "completed": (StateType.COMPLETED, "Completed"),
    "cached": (StateType.COMPLETED, "Cached"),
    "skipped": (StateType.COMPLETED, "Skipped"),
    "failed": (StateType.FAILED, "Failed"),
    "timed_out": (StateType.FAILED, "TimedOut"),
    "upstream_failed": (StateType.PENDING, "NotReady"),
    "crashed": (StateType.CRASHED, "Crashed"),
    "cancelled": (StateType.CANCELLED, "Cancelled"),
}
_TO_RECORD: Final = {
    StateType.SCHEDULED: "scheduled",
    StateType.PENDING: "pending",
    StateType.RUNNING: "running",
    StateType.PAUSED: "paused",
    StateType.CANCELLING: "cancelling",
    StateType.COMPLETED: "completed",
    StateType.FAILED: "failed",
    StateType.CRASHED: "crashed",
    StateType.CANCELLED: "cancelled",
}


class State:
    """A state: its `type`, the `name` that people read, a message, and `data`.

    `data` is what a task or flow returned, or the exception that ended it; `failure` says where in the user's code.
    """

    __slots__ = ("at", "data", "failure", "message", "name", "type")

    def __init__(
        self,
        type: str,  # noqa: A002  Prefect's name
        name: str | None = None,
        message: str | None = None,
        data: Any = None,
        *,
        failure: Failure | None = None,
        at: int | None = None,
    ) -> None:
        kind = str(type).upper()
        if kind not in _TO_RECORD:
            raise ValueError(f"there is no state of type {type!r}; the types are {', '.join(_TO_RECORD)}")
        self.type = getattr(StateType, kind)
        self.name = name or _RECORDED[_TO_RECORD[self.type]][1]
        self.message = message
        self.data = data
        self.failure = failure
        self.at = microseconds() if at is None else at

    @classmethod
    def recorded(
        cls,
        word: str,
        *,
        message: str = "",
        data: Any = None,
        failure: Failure | None = None,
        at: int | None = None,
    ) -> State:
        """The state that is recorded by this word, `timed_out` for one."""
        kind, name = _RECORDED[word]
        return cls(kind, name, message or None, data, failure=failure, at=at)

    @property
    def word(self) -> str:
        """The word by which it is recorded; a name of one's own goes with its type's."""
        for word, known in _RECORDED.items():
            if known == (self.type, self.name):
                return word
        return _TO_RECORD[self.type]

    @property
    def timestamp(self) -> datetime:
        """When it was reached."""
        return moment(self.at)

    def result(self, raise_on_failure: bool = True, **_: Any) -> Any:
        """What was returned. Of one that did not complete the exception is raised, or returned when that is wanted."""
        if self.is_completed():
            return self.data
        error = self.data if isinstance(self.data, BaseException) else None
        if error is None and isinstance(self.data, State):
            return self.data.result(raise_on_failure)
        if error is None:
            from schedulerd.authoring.refusals import RunFailed  # late: seldom needed

            error = RunFailed(f"it is {self.name}" + (f": {self.message}" if self.message else ""))
        if raise_on_failure:
            raise error
        return error

    def is_scheduled(self) -> bool:
        """Does it wait for its time?"""
        return bool(self.type == StateType.SCHEDULED)

    def is_pending(self) -> bool:
        """Does it wait for its start, or can it never start?"""
        return bool(self.type == StateType.PENDING)

    def is_running(self) -> bool:
        """Does it run?"""
        return bool(self.type == StateType.RUNNING)

    def is_paused(self) -> bool:
        """Does it wait for a person?"""
        return bool(self.type == StateType.PAUSED)

    def is_cancelling(self) -> bool:
        """Is it being ended?"""
        return bool(self.type == StateType.CANCELLING)

    def is_completed(self) -> bool:
        """Did it complete?"""
        return bool(self.type == StateType.COMPLETED)

    def is_failed(self) -> bool:
        """Did it fail?"""
        return bool(self.type == StateType.FAILED)

    def is_crashed(self) -> bool:
        """Did its process go away?"""
        return bool(self.type == StateType.CRASHED)

    def is_cancelled(self) -> bool:
        """Was it cancelled?"""
        return bool(self.type == StateType.CANCELLED)

    def is_final(self) -> bool:
        """Has it ended?"""
        return self.type in FINAL

    def __repr__(self) -> str:
        return f"<State {self}>"

    def __str__(self) -> str:
        return f"{self.name}({self.message!r})" if self.message else f"{self.name}()"


def Scheduled(**fields: Any) -> State:  # noqa: N802  Prefect's name, as of the others
    """A state of type SCHEDULED."""
    return State(StateType.SCHEDULED, **fields)


def Pending(**fields: Any) -> State:  # noqa: N802
    """A state of type PENDING."""
    return State(StateType.PENDING, **fields)


def Running(**fields: Any) -> State:  # noqa: N802
    """A state of type RUNNING."""
    return State(StateType.RUNNING, **fields)


def Paused(**fields: Any) -> State:  # noqa: N802
    """A state of type PAUSED."""
    return State(StateType.PAUSED, **fields)


def Cancelling(**fields: Any) -> State:  # noqa: N802
    """A state of type CANCELLING."""
    return State(StateType.CANCELLING, **fields)


def Completed(**fields: Any) -> State:  # noqa: N802
    """A state of type COMPLETED; `data` is what the task or flow is to have returned."""
    return State(StateType.COMPLETED, **fields)


def Failed(**fields: Any) -> State:  # noqa: N802
    """A state of type FAILED."""
    return State(StateType.FAILED, **fields)


def Crashed(**fields: Any) -> State:  # noqa: N802
    """A state of type CRASHED."""
    return State(StateType.CRASHED, **fields)


def Cancelled(**fields: Any) -> State:  # noqa: N802
    """A state of type CANCELLED."""
    return State(StateType.CANCELLED, **fields)
