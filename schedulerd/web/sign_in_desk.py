"""Where pages and the API have somebody sign in: at most two passwords are looked at at once, and who guesses waits."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from fastapi import Request

from schedulerd.clock import Clock
from schedulerd.errors import NotPermitted, Unreachable
from schedulerd.operations.sign_in import From, Opened, SignIn
from schedulerd.operations.users import Users
from schedulerd.web.blocking import Blocking, TooBusyError
from schedulerd.web.cookies import cookie_of
from schedulerd.web.recogniser import Recogniser
from schedulerd.web.sign_in_delays import FREE, SignInDelays
from schedulerd.web.wrong_secrets import WrongSecrets

T = TypeVar("T")
log = logging.getLogger(__name__)

_PASSWORDS_AT_ONCE: Final = 2
"""Each takes 64 MiB."""


class TooManyTries(Exception):
    """Whoever asks is to wait so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many tries: wait {seconds:.0f} seconds")
        self.seconds = seconds


class SignInDesk:
    """Opens and closes sessions."""

    def __init__(self, sign_in: SignIn, users: Users, recogniser: Recogniser, clock: Clock) -> None:
        self._sign_in: Final = sign_in
        self._users: Final = users
        self._recogniser: Final = recogniser
        self._clock: Final = clock
        self._blocking: Final = Blocking(at_once=_PASSWORDS_AT_ONCE)
        self._delays: Final = SignInDelays()
        self._wrong: Final = WrongSecrets()

    async def by_password(self, request: Request, name: str, password: str) -> Opened:
        """Raises `NotPermitted`, `TooManyTries` and `Unreachable`."""
        place, key = place_of(request), name.strip().casefold()[:100]
        self._require_patience(place, key)
        count = self._delays.note(key, place.address, self._clock.monotonic())
        old = cookie_of(request)
        try:
            opened = await self._run(
                partial(self._sign_in.by_password, name, password, place, instead_of=old)
            )
        except NotPermitted:
            await self._refused(name, count, place)
            raise
        self._delays.note_right(key, place.address)
        return self._opened(opened, place, old)

    async def by_code(self, request: Request, code: str) -> Opened:
        """Raises `NotPermitted`, `TooManyTries` and `Unreachable`."""
        place, old = place_of(request), cookie_of(request)
        self._require_patience(place)
        try:
            opened = await self._run(partial(self._sign_in.by_code, code, place, instead_of=old))
        except NotPermitted:
            self._wrong.note(place.address, self._clock.monotonic())
            raise
        return self._opened(opened, place, old)

    async def change_password(self, request: Request, user: str, *, old: str, new: str) -> None:
        """Give a user another password, who knows the old one. Raises `NotPermitted`, `TooManyTries` and `BadParameters`."""
        by = (await self.by_password(request, user, old)).principal
        await self._run(partial(self._users.set_password, user, new, by=by))

    async def sign_out(self, request: Request) -> None:
        """End the session of the browser. Raises `Unreachable`."""
        cookie = cookie_of(request)
        if cookie:
            await self._run(partial(self._sign_in.sign_out, cookie))
            self._recogniser.forget(cookie)

    def _opened(self, opened: Opened, place: From, old: str) -> Opened:
        self._wrong.note_right(place.address)
        self._recogniser.forget(old)
        return opened

    def _require_patience(self, place: From, name: str = "") -> None:
        now = self._clock.monotonic()
        wait = max(self._wrong.wait(place.address, now), self._delays.wait(name, place.address, now))
        if wait > 0:
            raise TooManyTries(wait)

    async def _refused(self, name: str, count: int, place: From) -> None:
        self._wrong.note(place.address, self._clock.monotonic())
        if count >= FREE and count & (count - 1) == 0:  # 4, 8, 16: nobody fills the audit by guessing
            await self._run(partial(self._sign_in.note_failures, name, count, place))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._blocking.run(work)
        except TooBusyError as error:
            raise Unreachable("too many want to sign in just now") from error


def place_of(request: Request) -> From:
    """Where the one who asks is."""
    address = "" if request.client is None else request.client.host
    return From(address=address, agent=request.headers.get("user-agent", ""))
