"""Room on the disks: below the floor no runs are started, and a reserve is there for when nothing is left."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.retrying import RetryPolicy
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.space import (
    LARGEST_BALLAST,
    Place,
    Room,
    SpaceWatch,
    ballast_size,
    floor_of,
    places_of,
    room_at,
)
from schedulerd.store.database import Database
from tests.fakes import FakeClock
from tests.unit.scheduler.scenes import FLOOR, World, a_command, each_minute

PLENTY = Room(free=10 * FLOOR, total=100 * FLOOR, files=None)
SCARCE = replace(PLENTY, free=FLOOR - 1)


class Scene:
    """A disk whose room a test decides."""

    def __init__(self, folder: Path, *, floor: int = FLOOR) -> None:
        self.room = PLENTY
        self.given_back = 0
        self.health = HealthBook(FakeClock())
        self.ballast = folder / "ballast"
        self.watch = SpaceWatch(
            [Place(name="the state directory", folder=folder, ballast=self.ballast)],
            self.health,
            floor=floor,
            give_room_back=self._give_back,
            room_at=lambda _: self.room,
        )
        self._now = 0.0

    def _give_back(self) -> None:
        self.given_back += 1

    def look(self, **room: int | None) -> bool:
        """Look, a second later; is there enough room?"""
        self.room = replace(PLENTY, **room)  # type: ignore[arg-type]
        self._now += 1.0
        self.watch.look(self._now)
        return not self.health.has(TroubleKind.SPACE)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_below_the_floor_there_is_trouble_and_the_log_gives_its_room_back(scene: Scene) -> None:
    assert scene.look()
    assert not scene.look(free=FLOOR - 1)
    assert not scene.look(free=FLOOR // 2)

    (trouble,) = scene.health.health.troubles
    assert "has 500 KB left, less than 1 MB (`min_free_space`)" in trouble.reason
    assert scene.given_back == 1


def test_the_log_gives_its_room_back_before_the_floor_is_reached_and_not_all_the_time(scene: Scene) -> None:
    scene.look(free=4 * FLOOR)
    with_plenty = scene.given_back
    for _ in range(6):
        scene.look(free=2 * FLOOR)

    assert (with_plenty, scene.given_back) == (0, 2)


def test_it_ends_when_there_is_clearly_room_again(scene: Scene) -> None:
    scene.look(free=FLOOR - 1)

    assert not scene.look(free=FLOOR + 1)
    assert scene.look(free=FLOOR + FLOOR // 10)


def test_a_reserve_is_held_given_up_when_nothing_is_left_and_taken_again(scene: Scene) -> None:
    scene.look()
    held = scene.ballast.stat().st_size
    scene.look(free=FLOOR // 10)
    given_up = not scene.ballast.exists()
    scene.look(free=FLOOR + FLOOR // 10)
    not_yet = not scene.ballast.exists()
    scene.look()

    assert held == ballast_size(FLOOR) == FLOOR // 2
    assert (given_up, not_yet, scene.ballast.exists()) == (True, True, True)


def test_what_found_no_room_has_the_reserve_given_up(scene: Scene) -> None:
    scene.look()
    scene.room = SCARCE

    scene.watch.relieve()

    assert not scene.ballast.exists()


def test_a_reserve_on_a_disk_that_has_room_is_not_given_up_for_another(scene: Scene) -> None:
    scene.look()

    scene.watch.relieve()

    assert scene.ballast.exists()


def test_a_disk_with_room_for_few_files_is_full_too(scene: Scene) -> None:
    assert not scene.look(files=99)
    assert scene.look(files=100)


def test_a_floor_of_nothing_looks_at_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, floor=0)

    assert scene.look(free=0)
    assert not scene.ballast.exists()


def test_of_a_small_disk_at_most_half_is_wanted_free() -> None:
    small = Room(free=800_000, total=1_000_000, files=None)

    assert floor_of(small, 64_000_000) == 500_000
    assert floor_of(replace(small, total=10**12), 64_000_000) == 64_000_000


def test_the_reserve_is_less_than_the_floor_and_not_large() -> None:
    assert ballast_size(100_000) == 50_000
    assert ballast_size(10**10) == LARGEST_BALLAST


def test_a_folder_that_is_not_there_is_trouble(tmp_path: Path) -> None:
    health = HealthBook(FakeClock())
    gone = tmp_path / "gone"
    watch = SpaceWatch([Place(name="it", folder=gone, ballast=gone / "ballast")], health, floor=1)

    watch.look(0.0)

    (trouble,) = health.health.troubles
    assert "cannot be looked at" in trouble.reason


def test_a_database_on_the_same_disk_is_not_looked_at_twice(tmp_path: Path) -> None:
    assert len(places_of(tmp_path, tmp_path / "schedulerd.db")) == 1
    assert len(places_of(tmp_path, None)) == 1


def test_the_room_of_a_real_disk_is_read(tmp_path: Path) -> None:
    room = room_at(tmp_path)

    assert 0 <= room.free <= room.total


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return World(sqlite_database, tmp_path / "state")


def test_without_room_due_times_are_decided_and_no_run_is_started_until_there_is(world: World) -> None:
    world.define(each_minute())
    world.room = SCARCE

    world.turn(seconds=61)
    waiting, ready = world.states(), world.core.health.is_ready
    world.room = PLENTY
    world.turn()
    world.turn()

    assert (waiting, ready) == (["scheduled"], False)
    assert world.states() == ["pending"]
    assert world.core.health.is_ready


def test_a_run_whose_retry_was_due_without_room_starts_in_the_turn_in_which_there_is(world: World) -> None:
    world.define(a_command(retrying=RetryPolicy(retries=1, delays=(timedelta(seconds=30),))))
    key = world.started()
    world.turn(world.spawner.end(world.run(key).folder, status=3))
    world.room = SCARCE
    for seconds in (31, 1, 1):  # the last one finds nothing new in the database, and looks no further
        world.turn(seconds=seconds)
    held = world.run(key).state
    world.room = PLENTY

    world.turn()

    assert (held, world.run(key).state) == ("retrying", "pending")


def test_a_run_that_goes_on_is_settled_without_room(world: World) -> None:
    world.define(a_command())
    key = world.started()
    world.room = SCARCE

    world.turn(world.spawner.end(world.run(key).folder))
    world.turn()

    assert world.run(key).state == "completed"
