"""Whoever is let in no more gets no more of what still comes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from schedulerd.domain.access import Means, Principal, Role, Scope
from schedulerd.errors import StoreUnavailable
from schedulerd.operations.sign_in import digest_of
from schedulerd.store.database import Database
from schedulerd.web.lasting import Lasting
from schedulerd.web.needs import Needs
from schedulerd.web.routers import page_router
from tests.builders import NOW
from tests.store.scenes import HASH
from tests.waiting import SLOWER
from tests.web.entering import ROOT, House, visitor

WITHIN_SECONDS = 1.0
COOKIE = "c" * 43
KIM = Principal(name="kim", role=Role.VIEWER, means=Means.PASSWORD, user="kim", key="1")
LOOKS = Needs(role=Role.VIEWER, scope=Scope.RUNS_READ)


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    """A house with the user kim, who is signed in."""
    with House(sqlite_database, tmp_path) as made:
        with sqlite_database.write() as tx:
            tx.users.add("kim", Role.VIEWER, HASH, at=NOW)
            tx.sessions.open(
                digest_of(COOKIE), who="kim", user="kim", role=Role.VIEWER, at=NOW, agent="", address=""
            )
        yield made


def token_of(house: House) -> str:
    """A token of kim's."""
    return house.asked.api_tokens.create("ci", by=KIM, scopes=[Scope.RUNS_READ], life=timedelta(days=1)).text


def end_sessions(house: House) -> None:
    for session in house.asked.sign_in.sessions():
        house.asked.sign_in.end_session(session.key, by=ROOT)


def revoke_tokens(house: House) -> None:
    for token in house.asked.api_tokens.list():
        house.asked.api_tokens.revoke(token.id, by=ROOT)


def disable(house: House) -> None:
    house.asked.users.disable("kim", by=ROOT)


def change_role(house: House) -> None:
    house.asked.users.set_role("kim", Role.OPERATOR, by=ROOT)


def remove(house: House) -> None:
    house.asked.users.remove("kim", by=ROOT)


def pass_days(house: House) -> None:
    house.clock.advance(days=1)


@pytest.mark.parametrize(
    ("means", "deed"),
    [
        ("cookie", end_sessions),
        ("cookie", disable),
        ("cookie", change_role),
        ("cookie", remove),
        ("cookie", pass_days),
        ("token", revoke_tokens),
        ("token", disable),
        ("token", remove),
        ("token", pass_days),
    ],
)
def test_a_stream_is_over_within_a_second_of_when_its_session_or_token_is(
    house: House, means: str, deed: Callable[[House], None]
) -> None:
    revoked: list[float] = []
    router = page_router()

    async def words() -> AsyncIterator[bytes]:
        yield b"before"
        await asyncio.to_thread(deed, house)
        revoked.append(time.monotonic())
        await asyncio.Event().wait()  # nothing comes any more that could be kept back

    @router.get("/runs/long/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(words())

    house.app.include_router(router)
    token = token_of(house)
    headers = {"Authorization": f"Bearer {token}"} if means == "token" else {}
    with visitor(house.app, COOKIE if means == "cookie" else None) as client:
        answer = client.get("/runs/long/stream", headers=headers)
        took = time.monotonic() - revoked[0]
        again = client.get("/api/v1/me", headers=headers)  # at once: it is not let in for a moment more

    assert (answer.status_code, answer.text) == (200, "before")
    assert took < WITHIN_SECONDS * SLOWER
    assert again.status_code == 401


class Desk:
    """Says who is present, and counts how often it was asked."""

    def __init__(self) -> None:
        self.present: dict[Principal, Principal] = {KIM: KIM}
        self.asked = 0
        self.is_away = False
        self.rang = asyncio.Event()

    def take(self, who: Collection[Principal]) -> Mapping[Principal, Principal]:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return self.present

    async def looked(self, lasting: Lasting, times: int) -> None:
        """Wait until it was asked so often more."""
        until = self.asked + times
        async with asyncio.timeout(30 * SLOWER):
            while self.asked < until:
                await asyncio.sleep(0)


class Stream:
    """An answer that lasts until it is cut short, or told to end."""

    def __init__(self, lasting: Lasting, *, needs: Needs = LOOKS) -> None:
        self.sent: list[Message] = []
        self.end = asyncio.Event()
        self.task = asyncio.create_task(lasting.give(self._words, to=self._hear, who=KIM, needs=needs))

    async def _hear(self, message: Message) -> None:
        self.sent.append(message)

    async def _words(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b"z", "more_body": False})

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def played(play: Callable[[Desk, Lasting, list[Principal]], Awaitable[None]]) -> None:
    async def begin() -> None:
        desk, ended = Desk(), list[Principal]()
        await play(desk, Lasting(desk.take, ended=ended.append), ended)

    asyncio.run(begin())


def test_who_is_let_in_still_gets_all_of_it_and_then_nobody_is_asked_about() -> None:
    async def play(desk: Desk, lasting: Lasting, ended: list[Principal]) -> None:
        stream, other = Stream(lasting), Stream(lasting)
        await desk.looked(lasting, 2)
        for one in (stream, other):
            one.end.set()
            await one.task
        asked = desk.asked
        assert (stream.text, ended) == (b"az", [])
        assert asked <= 3  # one question for both
        assert len(asyncio.all_tasks()) <= 2  # whoever watched ends at the next look

    played(play)


def test_an_answer_of_one_part_is_not_watched() -> None:
    async def play(desk: Desk, lasting: Lasting, ended: list[Principal]) -> None:
        async def answer(send: Send) -> None:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"all"})

        async def hear(message: Message) -> None:
            pass

        await lasting.give(answer, to=hear, who=KIM, needs=LOOKS)
        assert len(asyncio.all_tasks()) == 1

    played(play)


def test_while_the_database_is_away_streams_go_on_and_are_looked_at_when_it_is_back() -> None:
    async def play(desk: Desk, lasting: Lasting, ended: list[Principal]) -> None:
        stream = Stream(lasting)
        desk.is_away, desk.present = True, {}
        await desk.looked(lasting, 2)
        assert not stream.task.done()
        desk.is_away = False
        await stream.task
        assert (stream.text, ended) == (b"a", [KIM])
        assert stream.sent[-1]["more_body"] is False

    played(play)


def test_who_may_less_than_the_stream_needs_gets_no_more_of_it() -> None:
    async def play(desk: Desk, lasting: Lasting, ended: list[Principal]) -> None:
        stream = Stream(lasting)
        narrower = frozenset({Scope.FLOWS_READ})
        desk.present = {KIM: Principal(name="kim", role=Role.VIEWER, scopes=narrower)}
        await stream.task
        assert stream.text == b"a"

    played(play)


def test_an_end_that_comes_from_elsewhere_is_not_taken_for_one_of_ours() -> None:
    async def play(desk: Desk, lasting: Lasting, ended: list[Principal]) -> None:
        stream = Stream(lasting)
        await desk.looked(lasting, 1)
        stream.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stream.task
        assert (stream.text, ended) == (b"a", [])

    played(play)
