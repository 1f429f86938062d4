"""Work that may wait for the database: a few threads of its own, so that the pages go on beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 4
MOST_WAITING: Final = 32


class TooBusyError(Exception):
    """So much waits already that more is refused."""


class Blocking:
    """At most `at_once` at the same time, with `MOST_WAITING` behind them."""

    def __init__(self, *, at_once: int = AT_ONCE) -> None:
        self._most: Final = at_once + MOST_WAITING
        self._threads: Final = ThreadPoolExecutor(at_once, thread_name_prefix="blocking")
        self._count = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Have it done by a thread, and give what it returns or raises. Raises `TooBusyError`.

        It is done to its end, also when nobody waits for it any more.
        """
        if self._count >= self._most:
            raise TooBusyError
        self._count += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        done.add_done_callback(self._is_done)
        return await asyncio.shield(done)

    def _is_done(self, done: "asyncio.Future[T]") -> None:
        self._count -= 1
        if not done.cancelled():
            done.exception()  # whoever asked may have gone; then nobody else looks at it
