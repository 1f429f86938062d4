"""`runs artifacts` and `events list`."""

import json
from uuid import UUID

from schedulerd.domain.intakes import Intake
from schedulerd.domain.states import RunState
from schedulerd.domain.told import Artifact, ArtifactKind, Event
from tests.builders import NOW
from tests.cli.scenes import Project


def with_told(project: Project) -> None:
    """A run that told something."""
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    artifacts = (
        Artifact(id=UUID(int=1), kind=ArtifactKind.MARKDOWN, at=NOW, data="# Done\n\nall", key="report"),
        Artifact(id=UUID(int=2), kind=ArtifactKind.PROGRESS, at=NOW, data=50.5, description="half"),
        Artifact(id=UUID(int=3), kind=ArtifactKind.LINK, at=NOW, data={"link": "https://a", "text": "there"}),
        Artifact(id=UUID(int=4), kind=ArtifactKind.TABLE, at=NOW, data=[{"a": 1}]),
    )
    event = Event(id=UUID(int=5), name="rows.loaded", at=NOW, resource={"id": "w"}, payload={"rows": 3})
    with project.database.write() as tx:
        was = tx.runs.by_key(key).position
        tx.intake.take([Intake(run=key, was=was, now=was, artifacts=artifacts, events=(event,))])


def test_artifacts_of_a_run_are_shown_in_short_and_whole_in_json(project: Project) -> None:
    with_told(project)

    shown = project.call("runs", "artifacts", "etl#1").stdout.splitlines()
    whole = json.loads(project.call("runs", "artifacts", "etl#1", "-o", "json").stdout)

    assert [" ".join(line.split()[-2:]) for line in shown[1:]] == [
        "Done all",
        "% half",
        "there (https://a)",
        '[{"a": 1}]',
    ]
    assert whole[0] == {
        "id": str(UUID(int=1)),
        "key": "report",
        "kind": "markdown",
        "description": "",
        "task": None,
        "created_at": "2026-11-22T06:00:00.000Z",
        "changed_at": "2026-11-22T06:00:00.000Z",
        "data": "# Done\n\nall",
    }


def test_events_are_listed_by_name_and_run(project: Project) -> None:
    with_told(project)

    (found,) = json.loads(
        project.call("events", "list", "--event", "rows.*", "--run", "etl#1", "-o", "json").stdout
    )
    nothing = project.call("events", "list", "--event", "other")

    assert (found["event"], found["run"], found["payload"]) == ("rows.loaded", "etl#1", {"rows": 3})
    assert nothing.exit_code == 0
    assert "no events match" in nothing.stderr
    assert project.call("runs", "artifacts", "etl#9").exit_code == 3
    assert project.call("events", "list", "--run", "etl#9").exit_code == 3
