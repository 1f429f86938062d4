"""Watches the room on the disks that the daemon writes to, and keeps a reserve there for when there is none left."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.sizes import size_text
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.health import HealthBook

log = logging.getLogger(__name__)

BALLAST: Final = "ballast"
LARGEST_BALLAST: Final = 8 * 1024 * 1024
_BALLAST_DIVISOR: Final = 2
_LOOK_SECONDS: Final = 1.0
_SHORT_FLOORS: Final = 3
_GIVE_BACK_SECONDS: Final = 3.0
_SMALL_FLOOR_DIVISOR: Final = 2  # of a file system: a floor above that would leave no room to work in
_FEWEST_FILES: Final = 100
_CLEARLY_ABOVE: Final = 1.05  # so that nothing begins and ends each second


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A folder of which the file system must have room, and the file there that is given up when it has none."""

    name: str
    folder: Path
    ballast: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What a file system has: free bytes for us, all of its bytes, and how many files can still be made (None: any)."""

    free: int
    total: int
    files: int | None


def room_at(folder: Path) -> Room:
    """The room of the file system that a folder is on; raises `OSError`."""
    found = os.statvfs(folder)
    return Room(
        free=found.f_bavail * found.f_frsize,
        total=found.f_blocks * found.f_frsize,
        files=found.f_favail if found.f_files else None,
    )


def floor_of(room: Room, asked: int) -> int:
    """The free bytes below which no runs are started: as was asked, but at most half of a file system."""
    return min(asked, room.total // _SMALL_FLOOR_DIVISOR)


def ballast_size(floor: int) -> int:
    """The bytes to hold in reserve: less than the floor, so that giving them up never hides that there is no room."""
    return min(LARGEST_BALLAST, floor // _BALLAST_DIVISOR)


def places_of(state_dir: Path, database: Path | None) -> list[Place]:
    """The state directory, and the folder of the database where that is on another file system."""
    places = [Place(name="the state directory", folder=state_dir, ballast=state_dir / BALLAST)]
    if database is not None and _device(database.parent) != _device(state_dir):
        ballast = database.with_name(f"{database.name}-{BALLAST}")
        places.append(Place(name="the folder of the database", folder=database.parent, ballast=ballast))
    return places


class SpaceWatch:
    """Looks each second. `floor` 0: looks at nothing, and holds nothing in reserve."""

    def __init__(
        self,
        places: Iterable[Place],
        health: HealthBook,
        *,
        floor: int,
        give_room_back: Callable[[], None] = lambda: None,
        room_at: Callable[[Path], Room] = room_at,
    ) -> None:
        self._places: Final = tuple(places)
        self._health: Final = health
        self._floor: Final = floor
        self._give_room_back: Final = give_room_back
        self._room_at: Final = room_at
        self._is_short = False
        self._looked_at = self._gave_back_at = float("-inf")

    def look(self, now: float) -> None:
        """Note whether there is room, when it is time for a look; `now` is monotonic."""
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        if self._floor:
            self._is_short = False
            self._note([reason for place in self._places if (reason := self._look_at(place))])
            self._free_some(now)

    def relieve(self) -> None:
        """There was no room for what had to be written: give up what is held in reserve."""
        for place in self._places:
            if self._is_full(place):
                self._drop(place)

    def _note(self, reasons: list[str]) -> None:
        if not reasons:
            self._health.clear(TroubleKind.SPACE)
            return
        self._health.note(TroubleKind.SPACE, "; ".join(reasons))

    def _free_some(self, now: float) -> None:
        """Before it is too late: on a disk that is full SQLite cannot even bring its log into the database."""
        if self._is_short and now - self._gave_back_at >= _GIVE_BACK_SECONDS:
            self._gave_back_at = now
            with contextlib.suppress(StoreUnavailable):
                self._give_room_back()

    def _look_at(self, place: Place) -> str | None:
        """Why there is no room there, None when there is."""
        try:
            room = self._room_at(place.folder)
        except OSError as error:
            return f"{place.name} {place.folder} cannot be looked at: {error.strerror}"
        floor = floor_of(room, self._floor)
        self._is_short = self._is_short or room.free < floor * _SHORT_FLOORS
        wanted = floor * (_CLEARLY_ABOVE if self._health.has(TroubleKind.SPACE) else 1.0)
        if room.free < ballast_size(floor) // 2:
            self._drop(place)
        elif room.free >= wanted + ballast_size(floor):
            self._hold(place, ballast_size(floor))
        if room.files is not None and room.files < _FEWEST_FILES:
            return f"{place.name} {place.folder} has room for {room.files} more files only"
        if room.free < wanted:
            left = size_text(room.free)
            return f"{place.name} {place.folder} has {left} left, less than {size_text(floor)} (`min_free_space`)"
        return None

    def _is_full(self, place: Place) -> bool:
        with contextlib.suppress(OSError):
            room = self._room_at(place.folder)
            return room.free < floor_of(room, self._floor)
        return False

    def _hold(self, place: Place, size: int) -> None:
        """Take room in reserve, if that is not done yet; it is no trouble when it cannot be."""
        with contextlib.suppress(OSError):
            if place.ballast.exists():
                return
            descriptor = os.open(place.ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            except OSError:
                place.ballast.unlink()
            finally:
                os.close(descriptor)

    def _drop(self, place: Place) -> None:
        try:
            place.ballast.unlink()
        except OSError:
            return
        log.warning("reserve_given_up", extra={"file": place.ballast})
        with contextlib.suppress(StoreUnavailable):
            self._give_room_back()


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None
