"""Very many schedules, and how they come into force."""

import json
from collections.abc import Iterable

from schedulerd.domain.bundles import bundled
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.scheduler.standing import MOST_AT_ONCE
from tests.builders import NOW
from tests.unit.scheduler.scenes import World, a_command

MANY = 2 * MOST_AT_ONCE + 1
EACH_MINUTE = Cron(expression="* * * * *")


def many(
    prefix: str, count: int = MANY, *, file: str = "many.toml", **changes: object
) -> list[ScheduleDefinition]:
    return [a_command(f"{prefix}-{n:04}", origin=f"{file}:{n}", **changes) for n in range(count)]


X = a_command("x", when=EACH_MINUTE, enabled=True, origin="x.toml:1")
Y = a_command("y", when=EACH_MINUTE, enabled=True, origin="x.toml:1")
"""What X is renamed to."""


def names(world: World) -> list[str]:
    with world.database.read() as tx:
        return list(tx.schedules.names())


def files_say(world: World, schedules: Iterable[ScheduleDefinition], seconds: float = 0.0) -> None:
    changed = DefinitionsChanged(flow_files=frozenset(), look_at=frozenset(), schedules=bundled(schedules))
    world.turn(changed, seconds=seconds)


def the_command_of(world: World, run: Run) -> str:
    """What the process of a run is told to do."""
    (armed,) = (
        path
        for place in (world.folders.ready, world.folders.runs)
        if (path := place / run.folder / "armed").exists()
    )
    said: str = json.loads(armed.read_text())["command"]
    return said


def when_which_ran(world: World) -> list[tuple[int, str]]:
    """The minute and the name of all that was due."""
    due = sorted((run.due_at, run.flow) for run in world.runs() if run.due_at is not None)
    return [(round((at - NOW).total_seconds()) // 60, name) for at, name in due]


def is_asleep(world: World) -> bool:
    """Does the core wait before its next turn?"""
    return world.core._left_over(world.clock.monotonic()) > 0


def until_applied(world: World, seconds: float = 0.0) -> int:
    turns = 0
    while world.parts.definitions.is_behind:
        world.turn(seconds=seconds)
        turns += 1
    return turns
