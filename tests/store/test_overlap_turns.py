"""Whose turn it is beside runs that always overlap, and what those that wait say of it."""

from schedulerd.domain.ids import RunKey
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, claim
from tests.store.test_overlap import LATER, REPLACING, due, end, keys, queueing, story


def test_what_makes_up_for_missed_times_has_its_turn_between_runs_that_replace(database: Database) -> None:
    """Each run takes longer than the interval, so a next one is always due before it has ended."""
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        missed = [due(tx, scene, second, caught_up=True) for second in range(2)]
        started: list[RunKey] = []
        for second in range(10, 18):
            due(tx, scene, second)
            taken = claim(tx, now=NOW + second * A_SECOND)
            for run in tx.runs.live()[: not taken]:
                end(tx, run.key)
                taken = claim(tx, now=NOW + second * A_SECOND)
            started += keys(taken)

        assert [key for key in started if key in missed] == missed
        assert len(started) > 2 * len(missed)


def test_what_makes_up_for_missed_times_does_not_wait_for_later_runs_that_overlap(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, overlap=Overlap.ALLOW)
        before = due(tx, scene, 0)
        claim(tx, now=NOW)
        missed = [due(tx, scene, second, caught_up=True) for second in (1, 2)]
        due(tx, scene, 3)
        claim(tx, now=LATER)
        waited = [story(tx, run)[1] for run in missed]
        end(tx, before)
        assert keys(claim(tx, now=LATER)) == missed[:1]
        then = story(tx, missed[1])[1]
        end(tx, missed[0])

        assert keys(claim(tx, now=LATER)) == missed[1:]
        assert waited == ["queued behind etl#1", "queued behind etl#2"]
        assert then == "queued behind etl#2"


def test_who_waits_names_a_run_that_goes_on_or_waits_itself(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=REPLACING)
        missed = [due(tx, scene, second, caught_up=True) for second in range(3)]
        claim(tx, now=NOW)
        newer = due(tx, scene, 9)
        claim(tx, now=LATER)
        first = [story(tx, run)[1] for run in (*missed[1:], newer)]
        end(tx, missed[0])
        claim(tx, now=LATER)
        second = [story(tx, run)[1] for run in missed[1:]]
        newest = due(tx, scene, 10)
        claim(tx, now=LATER)
        third = [story(tx, run)[1] for run in (*missed[1:], newest)]
        end(tx, newer)
        claim(tx, now=LATER)
        fourth = [story(tx, run)[1] for run in (*missed[1:], newest)]

        assert first == ["queued behind etl#4", "queued behind etl#2", "replaces etl#1"]
        assert second == ["queued behind etl#4", "queued behind etl#2"]
        assert third == ["queued behind etl#4", "queued behind etl#2", "queued behind etl#2"]
        assert fourth == ["", "queued behind etl#5", "queued behind etl#2"]


def test_when_one_in_line_is_cancelled_the_next_stands_behind_another(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx, policies=queueing(3))
        first, second, third = (due(tx, scene, second) for second in range(3))
        claim(tx, now=LATER)
        tx.runs.move(second, RunState.CANCELLED, at=LATER, actor="kim")

        assert story(tx, third)[1] == "queued behind etl#1"
        end(tx, first)
        assert keys(claim(tx, now=LATER)) == [third]
