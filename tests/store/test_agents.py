"""Agents: the last sign of life of each."""

from dataclasses import replace

from schedulerd.domain.agents import AgentBeat
from schedulerd.store.database import Database
from tests.builders import A_SECOND, BOOT, NOW


def test_a_beat_replaces_the_last_one_of_its_agent(database: Database) -> None:
    first = AgentBeat(
        name="a",
        host="host",
        pid=1,
        version="1.0",
        boot_id=BOOT,
        started_at=NOW,
        beat_at=NOW,
        status={"live": 0},
    )
    later = replace(first, beat_at=NOW + A_SECOND, status={"live": 2, "spawner": {"pid": 7}})
    other = replace(first, name="b")

    with database.write() as tx:
        for beat in (other, first, later):
            tx.agents.beat(beat)

        assert tx.agents.all() == [later, other]
