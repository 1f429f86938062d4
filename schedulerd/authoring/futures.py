"""Tasks that were submitted: their futures, and the arguments that are made of them."""

from __future__ import annotations

import threading
from time import monotonic

from schedulerd.authoring.annotations import allow_failure, quote, unmapped
from schedulerd.authoring.states import State, StateType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

    from schedulerd.authoring.running import TaskOutcome


class Future:
    """A task that was submitted: `result()` waits for what it returns, `state` is where it is now."""

    __slots__ = ("_callbacks", "_condition", "_outcome", "name", "number")

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self._condition = threading.Condition()
        self._outcome: TaskOutcome | None = None
        self._callbacks: list[Callable[[Future], None]] = []

    def __repr__(self) -> str:
        return f"<Future {self.name!r}: {self.state}>"

    def __await__(self) -> Generator[None, None, Future]:
        """Itself: in Prefect 2 `submit` was awaited."""
        yield from ()
        return self

    @property
    def outcome(self) -> TaskOutcome | None:
        """How it ended; None before that."""
        return self._outcome

    @property
    def state(self) -> State:
        """Its state now."""
        return State(StateType.PENDING) if self._outcome is None else self._outcome.as_state()

    @property
    def done(self) -> bool:
        """Has it ended?"""
        return self._outcome is not None

    def settle(self, outcome: TaskOutcome) -> None:
        """It has ended, in this way. Only the first of several counts."""
        with self._condition:
            if self._outcome is not None:
                return
            self._outcome = outcome
            self._condition.notify_all()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[[Future], None]) -> None:
        """Call this with the future when it has ended: at once where it has."""
        with self._condition:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        callback(self)

    def wait(self, timeout: float | None = None) -> State | None:
        """Wait until it has ended: its state, or None when the time was over first."""
        with self._condition:
            self._condition.wait_for(lambda: self._outcome is not None, timeout)
        return None if self._outcome is None else self._outcome.as_state()

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Wait for what the task returns. Its exception is raised, or returned when that is wanted.

        Raises `TimeoutError` when it has not ended after `timeout` seconds.
        """
        state = self.wait(timeout)
        if state is None:
            raise TimeoutError(f"task {self.name!r} has not ended after {timeout:g} s")
        return state.result(raise_on_failure)


class FutureList(list[Future]):
    """The futures of a `.map()`, in the order of its items."""

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all have ended, or the time is over."""
        wait(self, timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[Any]:
        """What the tasks returned, in the order of the items; raises the first exception among them."""
        until = None if timeout is None else monotonic() + timeout
        return [
            future.result(None if until is None else max(0.0, until - monotonic()), raise_on_failure)
            for future in self
        ]


class DoneAndNotDone:
    """What `wait` found: `done` and `not_done`, sets of futures; unpacks as a pair."""

    def __init__(self, done: set[Future], not_done: set[Future]) -> None:
        self.done = done
        self.not_done = not_done

    def __iter__(self) -> Iterator[set[Future]]:
        yield self.done
        yield self.not_done


def wait(futures: Iterable[Future], timeout: float | None = None) -> DoneAndNotDone:
    """Wait until all have ended, or `timeout` seconds have passed: those that have, and those that have not."""
    several = list(futures)
    until = None if timeout is None else monotonic() + timeout
    for future in several:
        future.wait(None if until is None else max(0.0, until - monotonic()))
    done = {future for future in several if future.done}
    return DoneAndNotDone(done, set(several) - done)


def as_completed(futures: Iterable[Future], timeout: float | None = None) -> Iterator[Future]:
    """The futures as they end. Raises `TimeoutError` when not all have ended after `timeout` seconds."""
    from queue import Empty, SimpleQueue

    several = list(dict.fromkeys(futures))
    ended: SimpleQueue[Future] = SimpleQueue()
    until = None if timeout is None else monotonic() + timeout
    for future in several:
        future.add_done_callback(ended.put)
    for number in range(len(several)):
        try:
            yield ended.get(timeout=None if until is None else max(0.0, until - monotonic()))
        except Empty:
            left = len(several) - number
            raise TimeoutError(f"{left} of {len(several)} tasks have not ended after {timeout:g} s") from None


# -- arguments ----------------------------------------------------------------------------------------------------

_SEQUENCES = (list, tuple, set, FutureList)


def futures_in(value: Any) -> list[Future]:
    """All futures in an argument, in lists, tuples, sets and dicts too; those that it tolerates to fail are not left out."""
    found: list[Future] = []
    _gather(value, found)
    return found


def _gather(value: Any, found: list[Future]) -> None:
    kind = type(value)
    if kind is Future:
        found.append(value)
    elif kind in _SEQUENCES:
        for part in value:
            _gather(part, found)
    elif kind is dict:
        for part in value.values():
            _gather(part, found)
    elif kind is allow_failure or kind is unmapped:
        _gather(value.value, found)


class UpstreamFailed(Exception):
    """A task that an argument comes from did not complete."""

    def __init__(self, future: Future) -> None:
        super().__init__(future.name)
        self.future = future


def resolved(value: Any, *, tolerant: bool = False) -> Any:
    """An argument with its futures, which have ended, replaced by what they returned; raises `UpstreamFailed`.

    A state gives its result too. With `allow_failure` around it, what failed gives its exception.
    """
    kind = type(value)
    if kind is Future:
        return _given(value, tolerant=tolerant)
    if kind in _SEQUENCES:
        made = [resolved(part, tolerant=tolerant) for part in value]
        return made if kind is FutureList else kind(made)
    if kind is dict:
        return {key: resolved(part, tolerant=tolerant) for key, part in value.items()}
    if kind is allow_failure:
        return resolved(value.value, tolerant=True)
    if kind is unmapped:
        return resolved(value.value, tolerant=tolerant)
    if kind is quote:
        return value.value
    if kind is State:
        return value.result(raise_on_failure=not tolerant)
    return value


def _given(future: Future, *, tolerant: bool) -> Any:
    state = future.state
    if state.is_completed():
        return state.data
    if tolerant:
        return state.result(raise_on_failure=False)
    raise UpstreamFailed(future)
