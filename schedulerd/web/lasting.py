"""Answers that last, as streams do: each is ended within a second of when whoever gets it is let in no more.

They are looked at together, by one question to the database; while there are none, nothing is asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Final

from starlette.types import Message, Send

from schedulerd.domain.access import Principal
from schedulerd.errors import Unreachable
from schedulerd.web.blocking import Blocking, TooBusyError
from schedulerd.web.needs import Needs

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5

Present = Callable[[Collection[Principal]], Mapping[Principal, Principal]]
"""Says of which of them there is a session or a token still, and what each may now."""


END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
"""What is sent at the end of an answer that is cut short."""


class _Answer:
    """One of them, and the task that gives it. `is_over`: it was ended here; `is_given`: there is nothing more to be sent."""

    def __init__(self, who: Principal, needs: Needs) -> None:
        self.who: Final = who
        self.needs: Final = needs
        self.is_given = False
        self.is_over = False
        self._task: Final = asyncio.current_task()

    def end(self) -> None:
        """Have the task stop giving it."""
        self.is_over = True
        if self._task is not None:
            self._task.cancel()

    def was_ended(self) -> bool:
        """Was its task stopped by `end`, and by nobody else? To be called once, where the task was stopped."""
        return self.is_over and self._task is not None and self._task.uncancel() == 0


class Lasting:
    """All of them, for one event loop. `ended` is told of whom one was ended."""

    def __init__(self, present: Present, *, ended: Callable[[Principal], None] = lambda _: None) -> None:
        self._present: Final = present
        self._ended: Final = ended
        self._blocking: Final = Blocking(at_once=1)
        self._answers: Final[set[_Answer]] = set()
        self._watching: asyncio.Task[None] | None = None

    async def give(
        self, answer: Callable[[Send], Awaitable[None]], *, to: Send, who: Principal, needs: Needs
    ) -> None:
        """Give an answer to somebody who was let in. One that has more than one part lasts, and may be ended."""
        one = _Answer(who, needs)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                one.is_given = not message.get("more_body", False)
                if not one.is_given:
                    self._watch(one)
            await to(message)

        try:
            await answer(send)
        except asyncio.CancelledError:
            if not one.was_ended():
                raise
            if not one.is_given:
                await to(END)
        finally:
            self._answers.discard(one)

    def _watch(self, answer: _Answer) -> None:
        self._answers.add(answer)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._look_again_and_again())

    async def _look_again_and_again(self) -> None:
        while self._answers:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """End those of whom nobody is let in any more. While the database does not answer, later."""
        answers = tuple(self._answers)
        who = {answer.who for answer in answers}
        try:
            present = await self._blocking.run(partial(self._present, who))
        except (Unreachable, TooBusyError):
            return
        except Exception:  # all others would be looked at no more
            log.exception("answers_not_looked_at")
            return
        for answer in answers:
            now = present.get(answer.who)
            if answer in self._answers and (now is None or answer.needs.missing(now)):
                log.info("answer_ended", extra={"who": answer.who.name, "means": answer.who.means})
                self._answers.discard(answer)
                self._ended(answer.who)
                answer.end()
