"""The end of a server that nobody asks anything: it turns nobody away, and whoever comes next finds it started again."""

import asyncio
from collections.abc import Callable
from typing import Final

import uvicorn

_LOOKS: Final = 4  # within the time after which it is at rest
_TURNS: Final = 10  # of the loop, of which asyncio needs three to make a connection known that was taken
_LOOK_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = (
    5.0  # others wait meanwhile; a stream is ended, and is begun again where it is somebody's page
)


class Rest:
    """Finds out that a server has had no connection and no request `after` so many seconds.

    With those who come in the very moment in which it ends it has `patience`, for others wait meanwhile. It is looked at from a thread of its own. The socket is not the server's alone: who connects while it ends waits in the queue of the socket.
    """

    def __init__(
        self,
        server: uvicorn.Server,
        *,
        after: float,
        monotonic: Callable[[], float],
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._server: Final = server
        self._patience: Final = patience
        self._after: Final = after
        self._monotonic: Final = monotonic
        self._is_ending = False
        self._requests = -1
        self._since = 0.0

    @property
    def every(self) -> float:
        """Seconds from one look to the next."""
        return self._after / _LOOKS

    def look(self) -> None:
        """End the server if it has been at rest for long enough, as soon as nobody who came meanwhile is left, or soon after."""
        state, now = self._server.server_state, self._monotonic()
        if state.connections or state.total_requests != self._requests:
            self._requests, self._since = state.total_requests, now
        if now - self._since < self._after or not self._server.started or self._is_ending:
            return
        self._is_ending = True
        loop = self._server.servers[0].get_loop()
        asyncio.run_coroutine_threadsafe(self._end(), loop)

    async def _end(self) -> None:
        loop = asyncio.get_running_loop()
        for one in self._server.servers:
            for listener in one.sockets:  # not closed yet: asyncio drops what it took a moment before
                loop.remove_reader(listener.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        until = loop.time() + self._patience
        while self._server.server_state.connections and loop.time() < until:
            await asyncio.sleep(_LOOK_SECONDS)
        self._server.should_exit = True
