"""`runs artifacts` and `events list`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from schedulerd.cli.commands import Command, LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COUNT, PAST
from schedulerd.cli.output import Column, Shape, json_text
from schedulerd.cli.tables import Cell

if TYPE_CHECKING:
    from schedulerd.domain.told import KeptEvent

events = LazyGroup("events", help="Events: what runs told programs.")


@click.command(cls=Command)
@click.argument("selector", metavar="RUN")
@pass_invocation
def artifacts(invocation: Invocation, selector: str) -> None:
    """Show what a run made for people to see."""
    from schedulerd.operations.told_shapes import artifact_shape  # imports zones and more

    out = invocation.output
    run, found = invocation.operations.told.artifacts(selector)
    columns = [
        Column(title="ARTIFACT", cell=lambda one: Cell(one["key"] or one["id"])),
        Column(title="KIND", cell=lambda one: Cell(one["kind"])),
        Column(title="MADE", cell=lambda one: Cell(out.ago(one["created_at"]))),
        Column(title="TASK", cell=lambda one: Cell(str(one["task"] or "")), only_wide=True),
        Column(title="SHOWS", cell=lambda one: Cell(_summary(one)), flexible=True),
    ]
    shapes = [artifact_shape(one) for one in found]
    out.rows(shapes, columns, empty=f"{run.selector} has no artifacts", name="id")


@events.command("list")
@click.option("--event", "name", metavar="EVENT", help="Of this name; `rows.*` is all that begin so.")
@click.option("--run", "run", metavar="RUN", help="Told by this run.")
@click.option("-s", "--since", type=PAST, help="Since then: 15m, 1d, yesterday, 2026-11-01.")
@click.option("-n", "--number", "limit", type=COUNT, default=50, show_default=True, help="At most so many.")
@pass_invocation
def list_(
    invocation: Invocation, name: str | None, run: str | None, since: datetime | None, limit: int
) -> None:
    """List events, the newest first."""
    out = invocation.output
    found = invocation.operations.told.events(name=name, run=run, since=since, limit=limit)
    columns = [
        Column(title="EVENT", cell=lambda one: Cell(one["event"])),
        Column(title="WHEN", cell=lambda one: Cell(out.ago(one["at"]))),
        Column(title="RUN", cell=lambda one: Cell(one["run"])),
        Column(title="RESOURCE", cell=lambda one: Cell(json_text(one["resource"])), flexible=True),
        Column(title="PAYLOAD", cell=lambda one: Cell(json_text(one["payload"])), flexible=True),
    ]
    out.rows([_event_shape(one) for one in found], columns, empty="no events match", name="id")


def _summary(artifact: Shape) -> str:
    data: Any = artifact["data"]
    match artifact["kind"]:
        case "progress":
            shown = f"{data:g} %"
        case "link":
            shown = f"{data['text']} ({data['link']})" if data["text"] != data["link"] else data["link"]
        case "table":
            shown = json_text(data)
        case _:
            shown = str(data)
    return " ".join(f"{shown}  {artifact['description']}".split())


def _event_shape(kept: "KeptEvent") -> Shape:
    from schedulerd.operations.shapes import time_text

    event = kept.event
    return {
        "id": str(event.id),
        "event": event.name,
        "at": time_text(event.at),
        "run": kept.run_name,
        "resource": dict(event.resource),
        "payload": dict(event.payload),
        "related": [dict(one) for one in event.related],
    }
