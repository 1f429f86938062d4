"""What runs told beside their logs: artifacts and events. They are written by the intake."""

import json
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.told import Artifact, ArtifactKind, Event, EventFilter, KeptArtifact, KeptEvent
from schedulerd.store.asking_tables import artifacts, events
from schedulerd.store.tables import AnyRow, flows, runs
from schedulerd.store.upserts import Upsert

PUT_ARTIFACT: Final = Upsert(artifacts, first=["created_at", "kind", "task"])
PUT_EVENT: Final = Upsert(events)

_OF_RUN: Final = (
    select(artifacts)
    .where(artifacts.c.run_id == bindparam("run"))
    .order_by(artifacts.c.created_at, artifacts.c.id)
)
_EVENTS: Final = (
    select(*events.c, flows.c.name.label("flow"), runs.c.number)
    .select_from(events.join(runs, runs.c.id == events.c.run_id).join(flows, flows.c.id == runs.c.flow_id))
    .order_by(events.c.at.desc(), events.c.id)
)


class Told:
    """Artifacts of runs, and events."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def artifacts(self, run: RunKey) -> list[KeptArtifact]:
        """The artifacts of a run, in the order in which they were made."""
        return [_artifact(row) for row in self._connection.execute(_OF_RUN, {"run": run})]

    def events(self, wanted: EventFilter) -> list[KeptEvent]:
        """A page of events, the newest first."""
        query = _EVENTS.limit(wanted.limit)
        if wanted.run is not None:
            query = query.where(events.c.run_id == wanted.run)
        if wanted.since is not None:
            query = query.where(events.c.at >= wanted.since)
        if wanted.name is not None and wanted.name.endswith("*"):
            query = query.where(events.c.name.startswith(wanted.name[:-1], autoescape=True))
        elif wanted.name is not None:
            query = query.where(events.c.name == wanted.name)
        return [_event(row) for row in self._connection.execute(query)]


def artifact_row(run: RunKey, artifact: Artifact) -> dict[str, Any]:
    """The row of an artifact, new or changed."""
    return {
        "run_id": run,
        "id": artifact.id,
        "kind": artifact.kind.value,
        "key": artifact.key,
        "description": artifact.description,
        "data": json.dumps(artifact.data, ensure_ascii=False),
        "task": artifact.task,
        "created_at": artifact.at,
        "changed_at": artifact.at,
    }


def event_row(run: RunKey, event: Event) -> dict[str, Any]:
    """The row of an event."""
    return {
        "run_id": run,
        "id": event.id,
        "name": event.name,
        "at": event.at,
        "resource": dict(event.resource),
        "payload": dict(event.payload),
        "related": [dict(one) for one in event.related],
    }


def _artifact(row: AnyRow) -> KeptArtifact:
    artifact = Artifact(
        id=UUID(str(row.id)),
        kind=ArtifactKind(row.kind),
        at=row.changed_at,
        data=json.loads(row.data),
        key=row.key,
        description=row.description,
        task=row.task,
    )
    return KeptArtifact(artifact=artifact, created_at=row.created_at)


def _event(row: AnyRow) -> KeptEvent:
    event = Event(
        id=UUID(str(row.id)),
        name=row.name,
        at=row.at,
        resource=row.resource,
        payload=row.payload,
        related=tuple(row.related),
    )
    return KeptEvent(event=event, run=RunKey(row.run_id), run_name=f"{row.flow}#{row.number}")
