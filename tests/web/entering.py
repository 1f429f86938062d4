"""How tests of pages and the API come in: as somebody in a role, without a password, which would take 100 ms each."""

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from schedulerd.domain.access import Principal, Role
from schedulerd.operations.operations import Operations
from schedulerd.operations.passwords import Passwords
from schedulerd.operations.sign_in import From
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import NOW
from tests.fakes import FakeClock

HOST: Final = "http://localhost"
COOKIE: Final = "schedulerd-80"
SAME_SITE: Final = {"Origin": HOST}
"""What a browser says with a form of the same site."""

ROOT: Final = Principal(name="root", role=Role.ADMIN)


class QuickPasswords(Passwords):
    """Argon2id as weak as it can be: what passwords cost is tested where they are made."""

    @cached_property
    def _hasher(self) -> PasswordHasher:
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def cookie_for(operations: Operations, role: Role, who: str = "") -> str:
    """The cookie of somebody who has come by a link, called as the role is unless said."""
    code = operations.sign_in.make_code(who or role.value, role, by=ROOT)
    return operations.sign_in.by_code(code, From(address="192.0.2.1", agent="test")).cookie


def visitor(app: FastAPI, cookie: str | None = None, address: str = "192.0.2.1") -> TestClient:
    """A browser, with that cookie where there is one. It follows no redirects."""
    client = TestClient(
        app, base_url=HOST, client=(address, 50_000), headers=SAME_SITE, follow_redirects=False
    )
    if cookie is not None:
        client.cookies.set(COOKIE, cookie)
    return client


class House:
    """An application with all its routes, and those who visit it."""

    def __init__(self, database: Database, state_dir: Path, *, now: datetime = NOW) -> None:
        self.database: Final = database
        self.clock: Final = FakeClock(now)
        self.asked: Final = Operations(
            database, state_dir=state_dir, clock=self.clock, passwords=QuickPasswords()
        )
        self.app: Final = make_app(
            hosts={"localhost"}, clock=self.clock, operations=self.asked, webhooks=self.asked.webhooks
        )
        self._opened: list[TestClient] = []

    def stranger(self, address: str = "192.0.2.1") -> TestClient:
        """Somebody who has not signed in."""
        return self._in(visitor(self.app, address=address))

    def guest(self, role: Role, who: str = "") -> TestClient:
        """Somebody who has, in this role."""
        return self._in(visitor(self.app, cookie_for(self.asked, role, who)))

    def _in(self, client: TestClient) -> TestClient:
        self._opened.append(client)
        client.__enter__()
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._opened:
            client.__exit__()
