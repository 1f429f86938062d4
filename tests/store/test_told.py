"""Artifacts and events are kept as they were told last, in order, and go with their run."""

from dataclasses import replace
from uuid import UUID

from schedulerd.domain.states import RunState
from schedulerd.domain.told import Artifact, ArtifactKind, Event, EventFilter
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, add_in, an_intake

PROGRESS = Artifact(
    id=UUID(int=2), kind=ArtifactKind.PROGRESS, at=NOW, data=10.0, key="load", description="ö \x00", task=3
)
TABLE = Artifact(id=UUID(int=1), kind=ArtifactKind.TABLE, at=NOW + A_SECOND, data=[{"a": None, "ö": 1.5}])
LOADED = Event(id=UUID(int=3), name="rows.loaded", at=NOW, resource={"id": "warehouse"}, payload={"rows": 3})


def test_an_artifact_that_is_told_again_is_changed_in_its_place(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        first = replace(an_intake(key), artifacts=(PROGRESS, replace(PROGRESS, data=20.0), TABLE))
        tx.intake.take([first])
        later = replace(PROGRESS, data=100.0, at=NOW + 2 * A_SECOND)
        now = replace(first.now, journal=first.now.journal + 1)
        tx.intake.take(
            [replace(an_intake(key), was=first.now, now=now, tasks=(), lines=(), artifacts=(later,))]
        )

        found = tx.told.artifacts(key)

    assert [(one.artifact.data, one.created_at, one.artifact.at) for one in found] == [
        (100.0, NOW, NOW + 2 * A_SECOND),
        (TABLE.data, NOW + A_SECOND, NOW + A_SECOND),
    ]
    assert (found[0].artifact.key, found[0].artifact.task) == ("load", 3)


def test_events_are_found_by_name_run_and_time(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        first, second = add_in(tx, flow, RunState.RUNNING), add_in(tx, flow, RunState.RUNNING)
        other = replace(LOADED, id=UUID(int=4), name="rows%", at=NOW + A_SECOND, related=({"id": "x"},))
        tx.intake.take([replace(an_intake(first), events=(LOADED, LOADED))])
        tx.intake.take([replace(an_intake(second), events=(other,))])

        def names(**wanted: object) -> list[str]:
            return [one.event.name for one in tx.told.events(replace(EventFilter(), **wanted))]  # type: ignore[arg-type]

        assert names() == ["rows%", "rows.loaded"]
        assert names(name="rows.*") == names(run=first) == ["rows.loaded"]
        assert names(name="rows%*") == names(name="rows%") == names(since=NOW + A_SECOND) == ["rows%"]
        assert names(limit=1) == ["rows%"]
        (found,) = tx.told.events(EventFilter(run=second))
        assert (found.event, found.run_name) == (other, "etl#2")
