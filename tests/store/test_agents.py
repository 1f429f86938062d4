"""Agents: the last sign of life of each, and its drain."""

from dataclasses import replace

import pytest

from schedulerd.domain.agents import Agent, AgentBeat, Drain
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import A_SECOND, BOOT, NOW

FIRST = AgentBeat(
    name="a",
    host="host",
    pid=1,
    version="1.0",
    boot_id=BOOT,
    started_at=NOW,
    beat_at=NOW,
    status={"live": 0},
)
DRAIN = Drain(at=NOW, by="minji", reason="a new kernel")


def known(beat: AgentBeat, drain: Drain | None = None) -> Agent:
    """What is known of who gave this sign of life."""
    return Agent(**{name: getattr(beat, name) for name in AgentBeat.__slots__}, drain=drain)


def test_a_beat_replaces_the_last_one_of_its_agent(database: Database) -> None:
    later = replace(FIRST, beat_at=NOW + A_SECOND, status={"live": 2, "spawner": {"pid": 7}})
    other = replace(FIRST, name="b")

    with database.write() as tx:
        for beat in (other, FIRST, later):
            tx.agents.beat(beat)

        assert tx.agents.all() == [known(later), known(other)]


def test_a_drain_stays_through_beats_and_starts_until_it_is_taken_back(database: Database) -> None:
    anew = replace(FIRST, pid=2, started_at=NOW + A_SECOND, beat_at=NOW + A_SECOND)
    with database.write() as tx:
        tx.agents.beat(FIRST)
        drained = tx.agents.drain("a", at=NOW, by="minji", reason="a new kernel")
        tx.agents.beat(anew)

        assert (drained, tx.agents.drain_of("a")) == (known(FIRST, DRAIN), DRAIN)
        assert tx.agents.get("a") == known(anew, DRAIN)
        assert tx.agents.resume("a") == known(anew)
        assert tx.agents.drain_of("a") is None


def test_a_drain_is_neither_given_nor_taken_back_twice(database: Database) -> None:
    with database.write() as tx:
        tx.agents.beat(FIRST)
        with pytest.raises(Conflict, match="is not drained"):
            tx.agents.resume("a")
        tx.agents.drain("a", at=NOW, by="minji", reason="")
        with pytest.raises(Conflict, match="drained already"):
            tx.agents.drain("a", at=NOW, by="kim", reason="")
        with pytest.raises(NotFound, match="no agent 'b'"):
            tx.agents.drain("b", at=NOW, by="kim", reason="")

        assert tx.agents.drain_of("a") == replace(DRAIN, reason="")
        assert tx.agents.drain_of("b") is None


def test_a_sign_of_life_in_time_makes_no_other_mark_and_a_drain_a_start_and_a_silence_do(
    database: Database,
) -> None:
    with database.write() as tx:
        tx.agents.beat(FIRST)
        first = tx.agents.marks(now=NOW)
        tx.agents.beat(replace(FIRST, beat_at=NOW + 10 * A_SECOND))
        beat = tx.agents.marks(now=NOW + 10 * A_SECOND)
        silent = tx.agents.marks(now=NOW + 41 * A_SECOND)
        tx.agents.drain("a", at=NOW, by="minji", reason="")
        drained = tx.agents.marks(now=NOW)
        tx.agents.resume("a")
        tx.agents.beat(replace(FIRST, started_at=NOW + A_SECOND))
        anew = tx.agents.marks(now=NOW)

    assert beat == first
    assert len({repr(one) for one in (first, silent, drained, anew)}) == 4
