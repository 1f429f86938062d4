"""Live updates: who looks on is told what changed, at once, and holds nobody up."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.states import RunState
from schedulerd.operations.snapshots import Snapshots
from schedulerd.store.database import Database
from schedulerd.web.live import STREAMS_PER_READER, Hub, Topics, read_topics
from tests.builders import NOW, a_file, a_flow, a_run_id
from tests.fakes import FakeClock
from tests.store.scenes import add, claim, move

SOON = 30.0


class Stream:
    """One reader, and what it was sent."""

    def __init__(self, hub: Hub, topics: Topics, *, who: str = "minji", seen: str = "") -> None:
        self._words: AsyncIterator[bytes] = hub.stream(who, topics, seen=seen)
        self.place = ""

    async def next(self) -> tuple[str, Any]:
        """The next event: its name, and what it says."""
        async with asyncio.timeout(SOON):
            while True:
                lines = (await anext(self._words)).decode().splitlines()
                said = dict(line.split(": ", 1) for line in lines if line and not line.startswith(":"))
                if said:
                    self.place = said.get("id", self.place)
                    return said["event"], json.loads(said["data"])

    async def close(self) -> None:
        await self._words.aclose()  # type: ignore[attr-defined]


class Scene:
    """A flow with runs, and a hub."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.is_stopping = False
        self.clock = FakeClock(NOW)
        self.hub = Hub(Snapshots(database, self.clock), self.clock, is_stopping=lambda: self.is_stopping)
        with database.write() as tx:
            tx.flows.put_file(a_file(a_flow()), now=NOW)
            self.flow = tx.flows.get("etl").key

    def beat(self, *, pid: int = 1) -> None:
        now = self.clock.now()
        with self.database.write() as tx:
            tx.agents.beat(
                AgentBeat(name="a", host="h", pid=pid, version="1", boot_id="b", started_at=NOW, beat_at=now)
            )

    def add(self) -> tuple[RunKey, RunId]:
        with self.database.write() as tx:
            key = add(tx, self.flow)
            return key, tx.runs.by_key(key).id

    def start(self) -> None:
        with self.database.write() as tx:
            claim(tx)

    def end(self, key: RunKey) -> None:
        with self.database.write() as tx:
            move(tx, key, RunState.CRASHED)


def played(scene: Scene, play: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(play(scene))


def test_a_run_that_is_recorded_started_and_ended_is_told_each_time(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        stream = Stream(scene.hub, Topics(every=True))
        assert (await stream.next())[0] == "hello"
        key, _ = scene.add()
        assert await stream.next() == ("runs", {"count": 1})
        scene.start()
        assert await stream.next() == ("runs", {"count": 1})
        scene.end(key)
        assert await stream.next() == ("runs", {"count": 1})
        await stream.close()

    played(Scene(sqlite_database), play)


def test_who_watches_one_run_hears_of_that_one_only(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        _, run = scene.add()
        stream = Stream(scene.hub, Topics(runs=frozenset({run})))
        await stream.next()
        scene.add()
        scene.start()
        name, told = await stream.next()
        assert (name, told["id"], told["state"]) == ("run", str(run), "pending")
        await stream.close()

    played(Scene(sqlite_database), play)


def test_a_drain_a_silence_and_a_new_start_of_an_agent_are_told_and_its_beats_are_not(
    sqlite_database: Database,
) -> None:
    async def play(scene: Scene) -> None:
        scene.beat()
        stream = Stream(scene.hub, Topics(every=True, agents=True))
        assert (await stream.next())[0] == "hello"
        first = stream.place
        scene.clock.advance(seconds=10)
        scene.beat()
        scene.add()
        assert (await stream.next())[0] == "runs"  # the beat before it was no news
        scene.clock.advance(seconds=31)
        assert await stream.next() == ("agents", {})
        assert stream.place != first
        scene.beat(pid=2)
        assert await stream.next() == ("agents", {})
        await stream.close()

    played(Scene(sqlite_database), play)


def test_what_happened_while_nobody_listened_is_told_as_a_refresh(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        _, run = scene.add()
        topics = Topics(every=True, runs=frozenset({run}))
        first = Stream(scene.hub, topics)
        await first.next()
        await first.close()
        again = Stream(scene.hub, topics, seen=first.place)
        assert (await again.next())[0] == "hello"
        await again.close()
        scene.start()
        late = Stream(scene.hub, topics, seen=first.place)
        assert [(await late.next())[0] for _ in range(2)] == ["hello", "refresh"]
        await late.close()

    played(Scene(sqlite_database), play)


def test_events_that_nobody_has_taken_are_merged(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        slow, quick = (
            Stream(scene.hub, Topics(every=True)),
            Stream(scene.hub, Topics(every=True), who="other"),
        )
        await slow.next()
        await quick.next()
        for _ in range(3):
            scene.add()
            assert await quick.next() == ("runs", {"count": 1})
        assert await slow.next() == ("runs", {"count": 3})
        await slow.close()
        await quick.close()

    played(Scene(sqlite_database), play)


def test_of_one_reader_the_oldest_stream_gives_way(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        streams = [Stream(scene.hub, Topics(every=True)) for _ in range(STREAMS_PER_READER + 1)]
        other = Stream(scene.hub, Topics(every=True), who="other")
        for stream in (*streams, other):
            await stream.next()
        assert (await streams[0].next())[0] == "yield"
        with pytest.raises(StopAsyncIteration):
            await streams[0].next()
        scene.add()
        for stream in (*streams[1:], other):
            assert (await stream.next())[0] == "runs"
            await stream.close()
        assert scene.hub.count == 0

    played(Scene(sqlite_database), play)


def test_streams_end_when_the_server_stops(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        stream = Stream(scene.hub, Topics(every=True))
        await stream.next()
        scene.is_stopping = True
        assert (await stream.next())[0] == "bye"
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    played(Scene(sqlite_database), play)


def test_a_run_that_is_gone_is_told_as_removed(sqlite_database: Database) -> None:
    async def play(scene: Scene) -> None:
        unknown = a_run_id()
        stream = Stream(scene.hub, Topics(runs=frozenset({unknown})), seen="other")
        assert [(await stream.next())[0] for _ in range(2)] == ["hello", "refresh"]
        await stream.close()

    played(Scene(sqlite_database), play)


@pytest.mark.parametrize("text", ["", "all", "run:", "run:x", "runs,run:1", ",".join(["runs"] * 9)])
def test_topics_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_topics(text)


def test_topics_are_every_run_and_single_ones() -> None:
    run = a_run_id()

    assert read_topics(f"runs,run:{run}") == Topics(every=True, runs=frozenset({run}))
