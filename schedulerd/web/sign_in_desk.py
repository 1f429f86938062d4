"""Where pages and the API have somebody sign in: at most two passwords are looked at at once, and who guesses waits."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from fastapi import Request

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.errors import NotPermitted, Unreachable
from schedulerd.operations.sign_in import From, Opened, SignIn
from schedulerd.operations.users import Users
from schedulerd.sentences import said
from schedulerd.web.blocking import Blocking, TooBusyError
from schedulerd.web.cookies import cookie_of
from schedulerd.web.recogniser import Recogniser
from schedulerd.web.sign_in_delays import FREE, SignInDelays
from schedulerd.web.wrong_secrets import WrongSecrets

T = TypeVar("T")
log = logging.getLogger(__name__)

_PASSWORDS_AT_ONCE: Final = 2
"""Each takes 64 MiB."""

_LONGEST_KEY: Final = 100


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
        place, old = place_of(request), cookie_of(request)
        enter = partial(self._sign_in.by_password, name, password, place, instead_of=old)
        return self._opened(await self._tried(name, place, enter), place, old)

    async def change_password(
        self, request: Request, user: str, *, old: str, new: str, by: Principal
    ) -> Opened:
        """Give a user another password, who knows the old one, and open another session: all that there were have ended.

        Raises `BadParameters` and as `by_password` does.
        """
        await self._tried(user, place_of(request), partial(self._sign_in.require_password, user, old))
        await self._run(partial(self._users.set_password, user, new, by=by))
        return await self.by_password(request, user, new)

    async def _tried(self, name: str, place: From, work: Callable[[], T]) -> T:
        """Do it, unless this name is tried too often from there."""
        key = name.strip().casefold()[:_LONGEST_KEY]
        self._require_patience(place, key)
        count = self._delays.note(key, place.address, self._clock.monotonic())
        try:
            done = await self._run(work)
        except NotPermitted:
            await self._refused(name, count, place)
            raise
        self._delays.note_right(key, place.address)
        return done

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

    def _require_patience(self, place: From, name: str | None = None) -> None:
        now = self._clock.monotonic()
        wait = self._wrong.wait(place.address, now)
        if name is not None:
            wait = max(wait, self._delays.wait(name, place.address, now))
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
            raise Unreachable(said("too many want to sign in just now")) from error


def place_of(request: Request) -> From:
    """Where the one who asks is."""
    address = "" if request.client is None else request.client.host
    return From(address=address, agent=request.headers.get("user-agent", ""))
