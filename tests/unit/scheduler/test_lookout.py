"""Runs that are late or slow are told, each once, and by the rules that want it."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from schedulerd.domain.intakes import Intake
from schedulerd.domain.notices import NoticeKind, NoticeRule
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.scheduler.lookout import FEWEST, LOOK_SECONDS, Lookout
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import Scene, a_move, a_scene, add, add_scheduled, an_intake, claim

A_MINUTE: Final = timedelta(minutes=1)


class Watching:
    """A lookout for rules, and what it has told."""

    def __init__(self, database: Database, *rules: NoticeRule) -> None:
        self._database = Database(f"sqlite:///{database.file}", rules=rules)
        self._lookout = Lookout(self._database, rules)
        self._monotonic = 0.0

    def look(self, now: datetime) -> list[tuple[str, str, str]]:
        """All that has been told so far, as kind, subject and words."""
        self._monotonic += LOOK_SECONDS
        self._lookout.look(now, self._monotonic)
        with self._database.read() as tx:
            return [(one.kind.value, one.subject, one.words) for one in tx.notices.first("ops", 100)]

    def look_too_soon(self, now: datetime) -> None:
        self._lookout.look(now, self._monotonic + LOOK_SECONDS - 0.1)

    def close(self) -> None:
        self._database.close()


def late_rule(minutes: int = 5) -> NoticeRule:
    return NoticeRule(name="ops", on=frozenset({NoticeKind.LATE}), late_after=minutes * A_MINUTE)


def slow_rule(**changes: float) -> NoticeRule:
    return NoticeRule(
        name="ops",
        on=frozenset({NoticeKind.SLOW}),
        slow_factor=changes.get("factor", 3.0),
        slow_least=timedelta(seconds=changes.get("least", 1.0)),
    )


def complete(database: Database, scene: Scene, *, seconds: int, count: int = FEWEST) -> None:
    """So many runs of the flow that took so long."""
    with database.write() as tx:
        for _ in range(count):
            key = add(tx, scene.flow)
            claim(tx)
            start = an_intake(key, moves=(a_move(RunState.RUNNING),), tasks=(), started_at=NOW)
            end = Intake(
                run=key,
                was=Position(journal=100),
                now=Position(journal=200),
                moves=(a_move(RunState.COMPLETED, at=NOW + seconds * A_SECOND),),
            )
            tx.intake.take([start, end])


def start(database: Database, scene: Scene) -> None:
    with database.write() as tx:
        key = add(tx, scene.flow)
        claim(tx)
        tx.intake.take([an_intake(key, moves=(a_move(RunState.RUNNING),), tasks=(), started_at=NOW)])


def scene_of(database: Database) -> Scene:
    with database.write() as tx:
        return a_scene(tx)


def test_a_run_that_has_not_started_long_after_it_was_due_is_late_once(sqlite_database: Database) -> None:
    watching, scene = Watching(sqlite_database, late_rule()), scene_of(sqlite_database)
    with sqlite_database.write() as tx:
        add_scheduled(tx, scene, NOW)

    in_time = watching.look(NOW + 4 * A_MINUTE)
    late = watching.look(NOW + 6 * A_MINUTE)
    again = watching.look(NOW + 60 * A_MINUTE)
    watching.close()

    assert in_time == []
    ((kind, subject, words),) = late
    assert (kind, subject) == ("late", "etl#1")
    assert words.startswith("has not started 6 min after it was due")
    assert again == late


def test_each_rule_has_its_own_patience(sqlite_database: Database) -> None:
    scene = scene_of(sqlite_database)
    hasty = NoticeRule(name="hasty", on=frozenset({NoticeKind.LATE}), late_after=A_MINUTE)
    watching = Watching(sqlite_database, late_rule(30), hasty)
    with sqlite_database.write() as tx:
        add_scheduled(tx, scene, NOW)

    watching.look(NOW + 2 * A_MINUTE)
    with sqlite_database.read() as tx:
        told = {name: len(tx.notices.first(name, 9)) for name in ("ops", "hasty")}
    late = watching.look(NOW + 31 * A_MINUTE)
    watching.close()

    assert told == {"ops": 0, "hasty": 1}
    assert len(late) == 1


def test_it_looks_now_and_then_only_and_never_without_a_rule(sqlite_database: Database) -> None:
    scene = scene_of(sqlite_database)
    watching = Watching(sqlite_database, late_rule())
    watching.look(NOW)
    without = Watching(sqlite_database, NoticeRule(name="ops", on=frozenset({NoticeKind.FAILED})))
    with sqlite_database.write() as tx:
        add_scheduled(tx, scene, NOW)

    watching.look_too_soon(NOW + 6 * A_MINUTE)

    assert without.look(NOW + 6 * A_MINUTE) == []
    assert len(watching.look(NOW + 6 * A_MINUTE)) == 1
    watching.close()
    without.close()


def test_a_run_that_takes_much_longer_than_usual_is_slow_once(sqlite_database: Database) -> None:
    scene = scene_of(sqlite_database)
    watching = Watching(sqlite_database, slow_rule())
    complete(sqlite_database, scene, seconds=60)
    start(sqlite_database, scene)

    as_usual = watching.look(NOW + 2 * A_MINUTE)
    slow = watching.look(NOW + 4 * A_MINUTE)
    again = watching.look(NOW + 40 * A_MINUTE)
    watching.close()

    assert as_usual == []
    assert slow == [("slow", f"etl#{FEWEST + 1}", "has run for 4 min; usually it takes 1 min")]
    assert again == slow


@pytest.mark.parametrize(
    ("count", "least"), [(FEWEST - 1, 1.0), (FEWEST, 600.0)], ids=["too few to know", "not long enough"]
)
def test_what_is_usual_must_be_known_and_nothing_short_is_slow(
    sqlite_database: Database, count: int, least: float
) -> None:
    scene = scene_of(sqlite_database)
    watching = Watching(sqlite_database, slow_rule(least=least))
    complete(sqlite_database, scene, seconds=10, count=count)
    start(sqlite_database, scene)

    found = watching.look(NOW + 5 * A_MINUTE)
    watching.close()

    assert found == []
