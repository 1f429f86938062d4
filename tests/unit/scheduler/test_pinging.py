"""Monitors are told in order, again where that failed, and none of them delays another."""

from collections.abc import Sequence
from typing import Final

import pytest

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.heartbeats import Beat, Heartbeat
from schedulerd.domain.states import RunState
from schedulerd.errors import BadDefinition
from schedulerd.scheduler.pinging import MOST_TO_THE_DEAD, TOGETHER, Pinger
from schedulerd.scheduler.trips import MOST_UNDER_WAY
from schedulerd.store.database import Database
from tests.fakes import FakeClock
from tests.store.test_pings import a_monitored_scene, add_to, come_to

SECRET: Final = "canary-41d0"


class FakeJourney:
    """Comes back when it is told to."""

    def __init__(self, errands: Sequence[Errand]) -> None:
        self.errands = errands
        self.is_back = False
        self.refused: set[str] = set()

    def look(self, now: float) -> list[Answer] | None:
        return self.stop() if self.is_back else None

    def stop(self) -> list[Answer]:
        answers, failed = [], set()
        for one in self.errands:
            if one.strand in failed:
                continue
            is_done = self.is_back and one.url not in self.refused
            answers.append(Answer(key=one.key, is_done=is_done, words="" if is_done else "no"))
            if not is_done:
                failed.add(one.strand)
        return answers


class Scene:
    """A pinger whose couriers are in the hands of the test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.variables = {"HC": f"https://hc.example.com/{SECRET}"}
        self.journeys: list[FakeJourney] = []
        self.has_processes = True
        self.pinger = Pinger(database, self._fill, self._send_off)

    def _fill(self, url: str) -> str:
        for name, value in self.variables.items():
            url = url.replace(f"${{{name}}}", value)
        if "${" in url:
            raise BadDefinition("a URL names a variable that is not set", file="the environment")
        return url

    def _send_off(self, errands: Sequence[Errand], now: float) -> FakeJourney:
        if not self.has_processes:
            raise OSError("no process")
        self.journeys.append(FakeJourney(errands))
        return self.journeys[-1]

    def run(
        self, name: str, heartbeat: Heartbeat, state: RunState = RunState.COMPLETED, runs: int = 1
    ) -> None:
        with self.database.write() as tx:
            scene = a_monitored_scene(tx, heartbeat, name=name)
            for _ in range(runs):
                come_to(tx, add_to(tx, scene, f"{self.clock.now()} {_}"), state)

    def look(self, seconds: float = 1.0) -> list[FakeJourney]:
        """Those that were sent off by this look."""
        before = len(self.journeys)
        self.clock.advance(seconds)
        self.pinger.look(self.clock.now(), self.clock.monotonic())
        return self.journeys[before:]

    def waiting(self) -> list[tuple[str, Beat, int]]:
        with self.database.read() as tx:
            return [(one.run, one.beat, one.tries) for one in tx.pings.waiting(1_000)]


@pytest.fixture
def scene(sqlite_database: Database) -> Scene:
    return Scene(sqlite_database)


def of(host: str) -> Heartbeat:
    return Heartbeat(success=f"https://{host}.example.com/{SECRET}")


def test_a_start_and_an_end_are_told_in_their_order_by_one_courier(scene: Scene) -> None:
    url = f"https://hc.example.com/{SECRET}"
    scene.run("etl", Heartbeat(start=url + "/start", success=url))

    (journey,) = scene.look()

    assert [one.url for one in journey.errands] == [url + "/start", url]
    assert len({one.strand for one in journey.errands}) == 1
    assert all(one.is_ping for one in journey.errands)
    assert scene.look() == []
    journey.is_back = True
    assert scene.look() == []
    assert (scene.waiting(), scene.pinger.trouble) == ([], "")


def test_what_failed_is_tried_again_after_longer_and_longer_and_what_is_behind_it_waits(scene: Scene) -> None:
    url = "https://hc.example.com/a"
    scene.run("etl", Heartbeat(start=url + "/start", success=url))
    pauses = []
    (journey,) = scene.look()
    for _ in range(4):
        journey.is_back, journey.refused = True, {url + "/start"}
        scene.look(0.0)
        seconds = 0.0
        while not (sent := scene.look()):
            seconds += 1.0
        pauses.append(seconds + 1)
        (journey,) = sent

    assert pauses == [5.0, 10.0, 20.0, 40.0]
    assert scene.waiting() == [("etl#1", Beat.START, 4), ("etl#1", Beat.SUCCESS, 0)]
    assert scene.pinger.trouble == "the monitor of schedule 'etl-morning' is not told: no"
    journey.is_back, journey.refused = True, set()
    scene.look()
    assert (scene.waiting(), scene.pinger.trouble) == ([], "")


def test_after_a_day_it_is_given_up_and_that_is_trouble_until_the_monitor_is_told_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.run("etl", of("dead"))
    (journey,) = scene.look()
    journey.is_back, journey.refused = True, {journey.errands[0].url}

    scene.look(86_400.0)

    assert scene.waiting() == []
    assert scene.pinger.trouble == "the monitor of schedule 'etl-morning' was not told of etl#1: no"
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == ["ping_given_up"]
    scene.run("etl", of("dead"))
    (journey,) = scene.look()
    journey.is_back = True
    scene.look()
    assert scene.pinger.trouble == ""
    assert SECRET not in caplog.text


def test_a_monitor_that_hangs_delays_no_other(scene: Scene) -> None:
    scene.run("a", of("hangs"))
    scene.look()
    scene.run("a", of("hangs"))
    scene.run("b", of("lives"))

    (sent,) = scene.look()

    assert [one.url for one in sent.errands] == [of("lives").success]


def test_many_dead_monitors_leave_room_for_one_that_lives(scene: Scene) -> None:
    for number in range(MOST_UNDER_WAY + 2):
        scene.run(f"dead{number}", of(f"dead{number}"))
    while sent := scene.look():
        for journey in sent:
            journey.is_back, journey.refused = True, {one.url for one in journey.errands}
    trying = scene.look(700.0)
    scene.run("lives", of("lives"))

    (sent_off,) = scene.look()

    assert len(trying) == MOST_TO_THE_DEAD
    assert sent_off.errands[0].url == of("lives").success


def test_of_many_runs_of_a_schedule_some_are_told_together_and_the_others_after_them(scene: Scene) -> None:
    scene.run("etl", of("hc"), runs=TOGETHER + 5)

    (first,) = scene.look()
    first.is_back = True
    (second,) = scene.look()

    assert (len(first.errands), len(second.errands)) == (TOGETHER, 5)


def test_what_a_courier_did_before_the_daemon_stopped_is_kept_and_the_rest_waits(scene: Scene) -> None:
    scene.run("a", of("a"))
    scene.run("b", of("b"))
    told, broken_off = scene.look()
    told.is_back = True

    scene.pinger.stop(scene.clock.now())

    assert scene.waiting() == [("b#1", Beat.SUCCESS, 1)]
    assert broken_off.errands[0].url == of("b").success


def test_a_variable_is_put_in_when_it_is_told_and_one_that_is_missing_is_trouble(scene: Scene) -> None:
    scene.run("a", Heartbeat(success="${HC}"))
    scene.run("b", Heartbeat(success="${NONE}"))

    (journey,) = scene.look()
    for _ in range(3):
        scene.look(60.0)

    assert [one.url for one in journey.errands] == [f"https://hc.example.com/{SECRET}"]
    assert "'b-morning' is not told: " in scene.pinger.trouble
    assert "a variable that is not set" in scene.pinger.trouble


def test_a_heartbeat_that_was_taken_away_is_told_no_more(scene: Scene) -> None:
    scene.run("etl", of("hc"))
    with scene.database.write() as tx:
        a_monitored_scene(tx, None)

    assert scene.look() == []
    assert scene.waiting() == []


def test_where_the_machine_gives_no_process_it_is_told_at_the_next_look(scene: Scene) -> None:
    scene.run("etl", of("hc"))
    scene.has_processes = False
    assert scene.look() == []

    scene.has_processes = True

    assert len(scene.look()) == 1
