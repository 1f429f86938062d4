"""Live updates: one stream (server-sent events) for each tab that is looked at. An event says what changed, not how: the page
then fetches its own address again, so that there is one way to make it.

Events that nobody has taken yet are merged, so a slow reader costs a few words of memory and never holds anybody up.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from schedulerd.clock import Clock
from schedulerd.domain.ids import RunId
from schedulerd.domain.snapshots import Snapshot, changed_runs
from schedulerd.errors import Unreachable
from schedulerd.operations.snapshots import Snapshots
from schedulerd.version import __version__
from schedulerd.web.blocking import Blocking, TooBusyError

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.25
BEAT_SECONDS: Final = 15.0
STREAMS_PER_READER: Final = 3
"""Browsers hold six connections to a server in HTTP/1.1, for all tabs together: the oldest beyond three is sent away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topics:
    """What a page wants to hear of: every run (`runs`), and some (`run:ID`), the agents (`agents`)."""

    every: bool = False
    agents: bool = False
    runs: frozenset[RunId] = frozenset()


@dataclass(eq=False, kw_only=True, slots=True)
class Reader:
    """One open stream. `seen` is what it knows of; `waiting` are events that it has not been sent, one of a kind."""

    who: str
    topics: Topics
    seen: Snapshot | None = None
    waiting: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    is_to_end: bool = False
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def place(self) -> str:
        """The fingerprint of what it knows of, or empty."""
        if self.seen is None:
            return ""
        return self.seen.fingerprint(every=self.topics.every, of=self.topics.runs, agents=self.topics.agents)

    def note(self, now: Snapshot) -> None:
        """Have it told how this differs from what it knows of."""
        was, self.seen = self.seen, now
        if was is None:
            return
        if self.topics.every and (count := changed_runs(was, now)):
            self.tell("runs", {"count": count})
        if self.topics.agents and was.agents != now.agents:
            self.tell("agents", {})
        for run in self.topics.runs:
            mark = now.watched.get(run)
            if was.watched.get(run) != mark:
                state = "removed" if mark is None else mark.state.value
                self.tell("run", {"id": str(run), "state": state, "lines": 0 if mark is None else mark.lines})

    def tell(self, event: str, told: Mapping[str, Any]) -> None:
        """Have it sent, in place of what waits of this kind."""
        before = self.waiting.get(event, {})
        self.waiting[event] = (
            {**told, "count": told["count"] + before.get("count", 0)} if "count" in told else told
        )
        self.bell.set()

    def end(self, event: str) -> None:
        """Send this last word, and close."""
        self.tell(event, {})
        self.is_to_end = True


class Hub:
    """Looks at what goes on while somebody listens, and tells who wants to know. For one event loop."""

    def __init__(
        self, snapshots: Snapshots, clock: Clock, *, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._snapshots: Final = snapshots
        self._clock: Final = clock
        self._is_stopping: Final = is_stopping
        self._blocking: Final = Blocking()
        self._boot: Final = secrets.token_hex(4)
        self._readers: Final[list[Reader]] = []
        self._watching: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    async def stream(self, who: str, topics: Topics, *, seen: str) -> AsyncIterator[bytes]:
        """What the reader gets, to the end; `seen` is the fingerprint of what its page shows, or empty."""
        reader = Reader(who=who, topics=topics)
        self._let_in(reader)
        try:
            await self._look()
            yield _event("hello", self._hello(), place=reader.place)
            if seen and seen != reader.place:
                reader.tell("refresh", {})
            async for chunk in _words(reader):
                yield chunk
        finally:
            self._readers.remove(reader)

    def _hello(self) -> Mapping[str, Any]:
        now = int(self._clock.now().timestamp() * 1_000)
        return {"version": __version__, "boot": self._boot, "now": now}

    def _let_in(self, reader: Reader) -> None:
        others = [one for one in self._readers if one.who == reader.who and not one.is_to_end]
        for one in others[: max(0, len(others) + 1 - STREAMS_PER_READER)]:
            one.end("yield")
        self._readers.append(reader)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while self._readers:
            await asyncio.sleep(LOOK_SECONDS)
            if self._is_stopping():
                for reader in self._readers:
                    reader.end("bye")
                return
            await self._look()

    async def _look(self) -> None:
        """Note how things are, for each reader; while the database does not answer, later."""
        watched = frozenset[RunId]().union(*(reader.topics.runs for reader in self._readers))
        try:
            now = await self._blocking.run(lambda: self._snapshots.take(watched))
        except (Unreachable, TooBusyError) as error:
            log.warning("look_failed", extra={"reason": str(error)})
            return
        for reader in self._readers:
            if reader.topics.runs <= watched:  # else it came while this was looked at
                reader.note(now)


async def _words(reader: Reader) -> AsyncIterator[bytes]:
    """Events as they come, and a sign of life when none does."""
    while True:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await reader.bell.wait()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        reader.bell.clear()
        waiting, reader.waiting = reader.waiting, {}
        for name, told in waiting.items():
            yield _event(name, told, place=reader.place)
        if reader.is_to_end:
            return


def _event(name: str, told: Mapping[str, Any], *, place: str = "") -> bytes:
    known = f"id: {place}\n" if place else ""
    return f"{known}event: {name}\ndata: {json.dumps(dict(told), separators=(',', ':'))}\n\n".encode()


def read_topics(text: str, *, most: int = 8) -> Topics:
    """`runs,agents,run:ID`. Raises `ValueError` for anything else."""
    every, agents, runs = False, False, set[RunId]()
    for word in _words_of(text, most):
        kind, _, name = word.partition(":")
        if word == "runs":
            every = True
        elif word == "agents":
            agents = True
        elif kind == "run" and name:
            runs.add(RunId(UUID(name)))
        else:
            raise ValueError(word)
    return Topics(every=every, agents=agents, runs=frozenset(runs))


def _words_of(text: str, most: int) -> Iterable[str]:
    words = [word for word in text.split(",") if word]
    if not words or len(words) > most:
        raise ValueError(text)
    return words
