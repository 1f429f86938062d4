"""What tests of the desk for hooks begin with: a flow that has hooks, runs of it that ended, and calls under way."""

from typing import Final

from schedulerd.domain.hooks import DueHooks
from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.messages import DefinitionsChanged
from tests.builders import a_file, a_flow
from tests.fakes import journal
from tests.unit.scheduler.scenes import AGENT, World

FAILED: Final = '{"k":"end","t":1795327201000000,"s":"failed","m":"ValueError: x"}'
COMPLETED: Final = '{"k":"end","t":1795327201000000,"s":"completed"}'
BEGUN: Final = (
    '{"k":"start","t":1795327202000000,"pid":4713}',
    '{"k":"hook","t":1795327202000000,"m":"tell (flows/etl.py:3)"}',
)
SAID: Final = '{"k":"log","t":1795327202000000,"l":20,"g":"","m":"told","s":"stdout"}'


def define(world: World, *hooks: RunState) -> None:
    """A flow in force, which has hooks for these ends, else for failures and completion."""
    states = frozenset(hooks or (RunState.FAILED, RunState.COMPLETED))
    file = a_file(a_flow(hooks=states))
    world.turn(
        DefinitionsChanged(flow_files=frozenset({file.file}), look_at=frozenset(), schedules={}, whole=True)
    )
    world.parts.definitions.inspected(Inspected(file=file.file, definition=file))
    world.turn()


def ended(world: World, last: str = FAILED) -> RunKey:
    """A run that has ended so."""
    key = world.started("etl")
    world.says(key, last)
    world.turn(world.spawner.end(world.run(key).folder, status=1))
    return key


def due(world: World) -> list[DueHooks]:
    with world.database.read() as tx:
        return tx.hooks.due(AGENT, limit=10)


def the_call(world: World) -> str:
    """The folder of the one call that is due."""
    (one,) = due(world)
    return one.folder


def begun(world: World) -> str:
    """A call that our spawner has started, which has called its first hook."""
    key = the_call(world)
    world.turn(world.spawner.begin(key))
    journal(world.folders.runs / key, *BEGUN)
    return key


def told(world: World, key: RunKey) -> list[str]:
    with world.database.read() as tx:
        return [one.line.message for one in tx.logs.lines(key, limit=10_000)]
