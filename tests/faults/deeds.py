"""What the nemesis does, and the plan of a campaign: it follows from the seed alone."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Kill:
    """kill -9 of these, all at once; a daemon that is killed is away for so long. `rank` chooses among the runs."""

    victims: tuple[str, ...]
    rank: int
    away: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeze:
    """SIGSTOP, and SIGCONT after so many seconds."""

    victim: str
    rank: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Fill:
    """Leave no room on the disk of the `database`, of the runs' `folders`, or of both."""

    disks: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """Hold the database's lock."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RestartPostgres:
    """Restart the database server as `pg_ctl -m immediate restart` does: it is not told to finish anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Stop the daemon: `leave`, `drain` or `cancel`; it is started again so long after its end."""

    how: str
    away: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Ask for a run, whether the daemon is there or not."""

    token: str
    by_command: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel:
    """Ask that a run be cancelled which goes on, or waits."""

    rank: int
    by_command: bool


Deed = Kill | Freeze | Fill | Lock | RestartPostgres | Stop | Ask | Cancel


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A deed and when it is done, in seconds from the beginning."""

    at: float
    deed: Deed


PARTS: Final = ("daemon", "spawner", "web", "run")
_LONGEST_PAUSE: Final = 4.0
_BY_COMMAND: Final = 0.15  # the others are asked for as commands ask, without an interpreter of their own
_LONG: Final = 14.0  # longer than the core waits before it looks after everything again


def plan(seed: int, *, seconds: float, postgres: bool, disks: tuple[str, ...]) -> Iterator[Step]:
    """The deeds of a campaign, in order. `disks` are those that can be filled, of `database` and `folders`."""
    dice = random.Random(seed)
    kinds: dict[Callable[[random.Random], Deed], int] = {
        _kill: 10,
        _freeze: 5,
        lambda dice: Lock(seconds=dice.uniform(0.5, 5)): 2,
        _stop: 3,
        _ask: 4,
        _cancel: 6,
    }
    if disks:
        kinds[lambda dice: Fill(disks=_some(dice, disks), seconds=dice.uniform(0.5, 5))] = 3
    if postgres:
        kinds[lambda dice: RestartPostgres()] = 3
    at = dice.uniform(0, _LONGEST_PAUSE)
    while at < seconds:
        (make,) = dice.choices(list(kinds), weights=list(kinds.values()))
        yield Step(at=at, deed=make(dice))
        at += dice.uniform(0, _LONGEST_PAUSE)


def _some(dice: random.Random, choices: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(dice.sample(choices, dice.randint(1, len(choices)))))


def _kill(dice: random.Random) -> Kill:
    victims = dice.choice([*[(part,) for part in PARTS], ("daemon", "spawner"), _some(dice, PARTS), PARTS])
    return Kill(victims=victims, rank=dice.randrange(100), away=dice.uniform(0, 5))


def _freeze(dice: random.Random) -> Freeze:
    seconds = _LONG if dice.random() < 0.1 else dice.uniform(0.5, 5)
    return Freeze(victim=dice.choice(("daemon", "spawner", "run")), rank=dice.randrange(100), seconds=seconds)


def _stop(dice: random.Random) -> Stop:
    return Stop(how=dice.choice(("leave", "drain", "cancel")), away=dice.uniform(0, 3))


def _ask(dice: random.Random) -> Ask:
    return Ask(token=f"{dice.getrandbits(64):x}", by_command=dice.random() < _BY_COMMAND)


def _cancel(dice: random.Random) -> Cancel:
    return Cancel(rank=dice.randrange(100), by_command=dice.random() < _BY_COMMAND)
