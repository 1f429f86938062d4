"""A webhook that lets nobody in is a trouble of the daemon until it has a good secret."""

from pathlib import Path

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.schedules import ScheduleDefinition, Webhook
from schedulerd.operations.sealing import KeyRing
from schedulerd.operations.secrets import Secrets
from schedulerd.operations.webhooks import SHORTEST_SECRET
from schedulerd.scheduler.messages import Tick
from schedulerd.store.database import Database
from tests.unit.scheduler.scenes import World


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return World(sqlite_database, tmp_path / "state")


def secrets(world: World) -> Secrets:
    """What people set secrets by."""
    return Secrets(world.database, world.clock, KeyRing(world.state_dir, {}))


def hooked(name: str, *, secret: str = "deploy-key", enabled: bool = True) -> ScheduleDefinition:
    when = Webhook(hook=f"hook-{name}", secret=secret)
    return ScheduleDefinition(name=name, command="true", when=when, enabled=enabled)


def told(world: World) -> list[str]:
    """What is wrong with webhooks, when it has been looked at again."""
    world.turn(Tick(), seconds=2)
    return [one.reason for one in world.health.health.troubles if one.kind is TroubleKind.WEBHOOKS]


def test_a_webhook_that_lets_nobody_in_is_told_of_until_its_secret_is_good(
    world: World, tmp_path: Path
) -> None:
    world.define(hooked("dump"))
    missing = told(world)
    secrets(world).set("deploy-key", "x" * (SHORTEST_SECRET - 1))
    short = told(world)
    secrets(world).set("deploy-key", {"no": "text" * SHORTEST_SECRET})
    no_text = told(world)
    secrets(world).set("deploy-key", "x" * SHORTEST_SECRET)
    good = told(world)
    key = (world.state_dir / "secret.key").rename(tmp_path / "away")
    world.start_again()
    lost = told(world)
    told_until_now = told(world)
    key.rename(world.state_dir / "secret.key")
    back = told(world)  # nothing was committed

    what = "webhook 'hook-dump' of schedule 'dump' lets nobody in: "
    assert missing == [f"{what}there is no secret 'deploy-key'"]
    assert short == [f"{what}the secret 'deploy-key' is shorter than {SHORTEST_SECRET} characters"]
    assert no_text == [f"{what}the secret 'deploy-key' is no text"]
    assert good == []
    assert lost == [f"{what}there is no key of the secrets {str(world.state_dir / 'secret.key')!r}"]
    assert (told_until_now, back) == (lost, [])
    assert world.health.health.is_ready


def test_one_that_is_turned_off_or_removed_is_not_told_of(world: World) -> None:
    world.define(hooked("dump", enabled=False))
    off = told(world)
    world.define(hooked("dump"))
    on = told(world)
    world.define()

    assert (off, len(on), told(world)) == ([], 1, [])


def test_of_many_the_first_are_told_and_how_many_more(world: World) -> None:
    world.define(*(hooked(f"dump-{number}") for number in range(8)))

    (said,) = told(world)

    assert said.count("lets nobody in") == 5
    assert said.endswith("; and 3 more")
