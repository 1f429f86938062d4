"""Who is behind a cookie or a token: asked of the database, and then known for a moment."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from schedulerd.domain.access import Principal
from schedulerd.operations.sign_in import SignIn, digest_of
from schedulerd.web.blocking import Blocking

FRESH_SECONDS: Final = 1.0
"""So long it may stay unknown that somebody is let in no more."""

_MOST: Final = 10_000


class _Answer(NamedTuple):
    principal: Principal | None
    at: float


class _Question(NamedTuple):
    answer: "asyncio.Future[Principal | None]"
    at: float


class Recogniser:
    """Requests that come together with one cookie or token ask once. What lets nobody in is asked for beside what did a moment ago, so that strangers keep nobody waiting."""

    def __init__(self, sign_in: SignIn, monotonic: Callable[[], float]) -> None:
        self._sign_in: Final = sign_in
        self._monotonic: Final = monotonic
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._asked: dict[bytes, _Question] = {}
        self._again: Final = Blocking()
        self._strangers: Final = Blocking()

    async def by_cookie(self, cookie: str) -> Principal | None:
        """Whose session it is. Raises `StoreUnavailable` and `TooBusyError`."""
        return await self._ask(digest_of(f"cookie {cookie}"), partial(self._sign_in.by_cookie, cookie))

    async def by_token(self, token: str) -> Principal | None:
        """Whose token it is. Raises `StoreUnavailable` and `TooBusyError`."""
        return await self._ask(digest_of(f"token {token}"), partial(self._sign_in.by_token, token))

    def forget(self, cookie: str) -> None:
        """The session has ended."""
        self._drop(digest_of(f"cookie {cookie}"))

    def forget_all(self, who: Principal) -> None:
        """The session or token of this one lets nobody in any more."""
        gone = [
            key
            for key, known in self._answers.items()
            if known.principal is not None
            and (known.principal.means, known.principal.key) == (who.means, who.key)
        ]
        for key in gone:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        self._answers.pop(key, None)
        self._asked.pop(key, None)

    async def _ask(self, key: bytes, ask: Callable[[], Principal | None]) -> Principal | None:
        known = self._answers.get(key)
        if known is not None and self._monotonic() - known.at < FRESH_SECONDS:
            return known.principal
        asked = self._asked.get(key)
        if asked is None or self._monotonic() - asked.at >= FRESH_SECONDS:
            desk = self._strangers if known is None or known.principal is None else self._again
            asked = _Question(asyncio.ensure_future(desk.run(ask)), self._monotonic())
            self._asked[key] = asked
            asked.answer.add_done_callback(partial(self._note, key, asked))
        return await asyncio.shield(asked.answer)

    def _note(self, key: bytes, asked: "_Question", answer: "asyncio.Future[Principal | None]") -> None:
        is_last = self._asked.get(key) is asked  # else it was forgotten meanwhile, or asked anew
        if is_last:
            del self._asked[key]
        if answer.cancelled() or answer.exception() is not None or not is_last:
            return
        self._answers[key] = _Answer(answer.result(), asked.at)
        self._answers.move_to_end(key)
        if len(self._answers) > _MOST:
            self._answers.popitem(last=False)
