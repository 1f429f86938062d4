"""Who is behind a cookie is asked once for all requests that come together."""

import asyncio
import threading
from typing import Any

from schedulerd.domain.access import Principal, Role
from schedulerd.web.recogniser import Recogniser
from tests.fakes import FakeClock


class SlowDesk:
    """Answers when it may, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = threading.Event()
        self.is_let_in = True

    def by_cookie(self, cookie: str) -> Principal | None:
        self.asked += 1
        found = Principal(name=cookie, role=Role.VIEWER) if self.is_let_in else None
        self.may_answer.wait()
        return found


def _recogniser() -> tuple[Any, Recogniser, FakeClock]:
    desk, clock = SlowDesk(), FakeClock()
    return desk, Recogniser(desk, clock.monotonic), clock  # type: ignore[arg-type]


def test_a_hundred_requests_with_one_cookie_are_one_question() -> None:
    desk, recogniser, _ = _recogniser()

    async def all_at_once() -> list[Principal | None]:
        asked = [asyncio.ensure_future(recogniser.by_cookie("kim")) for _ in range(100)]
        await asyncio.sleep(0)
        desk.may_answer.set()
        return await asyncio.gather(*asked)

    found = asyncio.run(all_at_once())

    assert [one is not None and one.name for one in found] == ["kim"] * 100
    assert desk.asked == 1


def test_an_answer_that_was_forgotten_while_it_was_asked_for_lets_nobody_in_later() -> None:
    desk, recogniser, _ = _recogniser()

    async def forgotten_meanwhile() -> Principal | None:
        first = asyncio.ensure_future(recogniser.by_cookie("kim"))
        while not desk.asked:
            await asyncio.sleep(0)
        recogniser.forget("kim")
        desk.is_let_in = False
        desk.may_answer.set()
        await first
        return await recogniser.by_cookie("kim")

    assert asyncio.run(forgotten_meanwhile()) is None


def test_a_question_that_takes_long_is_no_answer_to_who_comes_later() -> None:
    desk, recogniser, clock = _recogniser()

    async def later() -> tuple[Principal | None, Principal | None]:
        first = asyncio.ensure_future(recogniser.by_cookie("kim"))
        while not desk.asked:
            await asyncio.sleep(0)
        desk.is_let_in = False
        clock.advance(seconds=2)
        second = asyncio.ensure_future(recogniser.by_cookie("kim"))
        await asyncio.sleep(0)
        desk.may_answer.set()
        return await first, await second

    first, second = asyncio.run(later())

    assert first is not None
    assert second is None
    assert desk.asked == 2
