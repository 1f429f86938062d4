"""A limit on the time of a piece of code, from within its own process.

In the main thread a timer's signal ends it, a wait such as `time.sleep` too. In another thread an exception is left for
it, which it meets at its next line of Python: a thread cannot be made to leave a function written in C. The daemon's
limit on a whole run is another: it comes from outside and ends anything.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType, TracebackType
    from typing import Any

_AGAIN_SECONDS = 1.0  # for code that catches everything
_PATIENCE_SECONDS = 0.5  # a thread that is not in C for so long has met the exception by then


class OutOfTime(BaseException):
    """The code has had its time. No `Exception`, so that a careless `except` does not swallow it."""


class TimeLimit:
    """`with TimeLimit(5) as limit:` ends the block after 5 seconds with `OutOfTime`; `limit.is_over` tells whose it was.

    `stuck` is called, from another thread, when the block runs in a thread and does not end though it should.
    """

    def __init__(self, seconds: float, *, stuck: Callable[[], None] | None = None) -> None:
        self.seconds = seconds
        self.stuck = stuck
        self.is_over = False
        self._outer: TimeLimit | None = None
        self._deadline = 0.0
        self._handler: Any = None
        self._watch: _Watch | None = None

    def __enter__(self) -> TimeLimit:
        self._deadline = monotonic() + self.seconds
        if threading.current_thread() is threading.main_thread():
            self._enter_main()
        else:
            self._watch = _Watch(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.end()
        else:
            self._leave_main()

    def _enter_main(self) -> None:
        global _innermost
        self._handler = signal.signal(signal.SIGALRM, _ring)
        self._outer, _innermost = _innermost, self
        _arm()

    def _leave_main(self) -> None:
        global _innermost
        _innermost = self._outer
        if _innermost is None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        if _innermost is not None:
            _arm()

    @property
    def deadline(self) -> float:
        """Until when the block may run, in monotonic seconds."""
        return self._deadline

    @property
    def outer(self) -> TimeLimit | None:
        """The limit around this one, in the main thread."""
        return self._outer


def within(
    seconds: float,
    call: Callable[[], Any],
    *,
    over: Callable[[], Exception],
    stuck: Callable[[], None] | None = None,
) -> Any:
    """What the call returns; raises what `over` makes where it does not end in that time. `stuck`: see `TimeLimit`."""
    limit = TimeLimit(seconds, stuck=stuck)
    try:
        with limit:
            return call()
    except OutOfTime:
        if not limit.is_over:  # one further out
            raise
        raise over() from None


async def within_async(
    seconds: float, call: Callable[[], Awaitable[Any]], *, over: Callable[[], Exception]
) -> Any:
    """The same within an event loop, for what is awaited."""
    from asyncio import timeout  # late: whoever awaits this has loaded it

    try:
        async with timeout(seconds) as limit:
            return await call()
    except TimeoutError:
        if not limit.expired():
            raise
        raise over() from None


_innermost: TimeLimit | None = None


def _limits() -> list[TimeLimit]:
    limits, limit = [], _innermost
    while limit is not None:
        limits.append(limit)
        limit = limit.outer
    return limits


def _arm() -> None:
    """Ring when the first of the limits that hold is over."""
    first = min(limit.deadline for limit in _limits())
    signal.setitimer(signal.ITIMER_REAL, max(first - monotonic(), 1e-6), _AGAIN_SECONDS)


def _ring(signum: int, frame: FrameType | None) -> None:
    now = monotonic()
    over = [limit for limit in _limits() if limit.deadline <= now]
    if not over:
        _arm()
        return
    for limit in over:
        limit.is_over = True
    raise OutOfTime


class _Watch:
    """Watches the time of a thread that is not the main one."""

    def __init__(self, limit: TimeLimit) -> None:
        self._limit = limit
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._has_ended = False
        self._timer = threading.Timer(limit.seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if self._has_ended:
                return
            self._limit.is_over = True
            _leave_exception(self._thread, OutOfTime)
        if self._limit.stuck is not None:
            self._timer = threading.Timer(_PATIENCE_SECONDS, self._be_stuck)
            self._timer.daemon = True
            self._timer.start()

    def _be_stuck(self) -> None:
        with self._lock:
            if not self._has_ended and self._limit.stuck is not None:
                self._limit.stuck()

    def end(self) -> None:
        """The block was left; an exception that was left for the thread and has not been met is taken back."""
        with self._lock:
            self._has_ended = True
            if self._limit.is_over:
                _leave_exception(self._thread, None)
        self._timer.cancel()
        if self._limit.is_over:
            clear_mark(self._thread)


class _Nothing(BaseException):
    """Left for a thread by itself, and met at once."""


def clear_mark(thread: int) -> None:
    """Clear the interpreter's mark that some thread has an exception to meet; `thread` is the present one.

    CPython up to 3.12 clears it only where one is met: after one was taken back each thread looks for it at each call,
    and one that is traced or profiled (by coverage, say) never gets any further.
    """
    with contextlib.suppress(_Nothing):
        _leave_exception(thread, _Nothing)
        for _ in range(1_000):  # the end of a round is where it is met
            pass


def _leave_exception(thread: int, kind: type[BaseException] | None) -> None:
    import ctypes  # late: only a task with a limit that runs in a thread needs it

    value = None if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), value)
