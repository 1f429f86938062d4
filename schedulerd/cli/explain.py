"""`explain` and `next`: when things fire."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COMING, COUNT
from schedulerd.cli.output import Column, Output, Shape
from schedulerd.cli.tables import Cell, draw, visible

if TYPE_CHECKING:
    from schedulerd.operations.fires import Fire


@click.command(cls=Command)
@click.argument("expression", metavar='"EXPRESSION"')
@click.option("-n", "--number", "limit", type=COUNT, default=5, show_default=True, help="So many next fires.")
@click.option("--from", "after", type=COMING, help="Fires after then, instead of now.")
@click.option(
    "--name", default="", metavar="SCHEDULE", help="The schedule it is for; H in it depends on that."
)
@pass_invocation
def explain(invocation: Invocation, expression: str, limit: int, after: datetime | None, name: str) -> None:
    """Say in words when an expression fires: "30 2 * * *", 15m, or 2026-12-01T09:00.

    It is meant in the zone of --tz, else in that of the settings. An invalid expression ends with exit code 8.
    """
    from schedulerd.operations.fires import explain as explained
    from schedulerd.operations.schedule_shapes import explanation_shape

    found = explained(
        expression,
        timezone=invocation.zone_name or invocation.settings.timezone,
        name=name,
        after=after or invocation.now(),
        limit=limit,
    )
    shape = explanation_shape(found)
    invocation.output.one(shape, lambda: _page(shape, invocation.output), name="expression")


@click.command("next", cls=Command)
@click.argument("name", metavar="[FLOW|SCHEDULE]", required=False)
@click.option("-n", "--number", "limit", type=COUNT, default=10, show_default=True, help="So many fires.")
@click.option("--until", type=COMING, help="Fires up to then: 1d, tomorrow, 2026-12-01.")
@pass_invocation
def next_(invocation: Invocation, name: str | None, limit: int, until: datetime | None) -> None:
    """Show what fires next, across everything or of one flow or schedule."""
    show_fires(invocation, invocation.operations.fires.next(name, limit=limit, until=until))


def show_fires(invocation: Invocation, found: "Sequence[Fire]") -> None:
    """Show fires as a list."""
    from schedulerd.operations.schedule_shapes import fire_shape

    out = invocation.output
    columns = [
        Column(title="IN", cell=lambda fire: Cell(out.relative(fire["at"]))),
        Column(title="AT", cell=lambda fire: Cell(out.at(fire["at"]))),
        Column(title="SCHEDULE", cell=lambda fire: Cell(fire["schedule"])),
        Column(title="FLOW", cell=lambda fire: Cell(fire["flow"])),
        Column(
            title="THERE", cell=lambda fire: Cell(f"{fire['local'][:16]} {fire['timezone']}"), only_wide=True
        ),
        Column(title="NOTE", cell=lambda fire: Cell(fire["note"], "yellow"), flexible=True),
    ]
    shapes = [fire_shape(fire) for fire in found]
    out.rows(shapes, columns, empty="nothing is going to fire", name="at")


def _page(explanation: Shape, out: Output) -> str:
    text = explanation["text"]
    rows = [
        [
            Cell("next", "bright_black"),
            Cell(out.relative(fire["at"])),
            Cell(_on_the_wall(fire)),
            Cell(f"{fire['at'][11:16]}Z", "bright_black"),
            Cell(fire["note"], "yellow"),
        ]
        for fire in explanation["fires"]
    ]
    flags = [False] * 5
    fires = draw([""] * 5, rows, flexible=flags, right=flags, width=None)[1:]
    notes = [
        f"{click.style('note', fg='yellow')}  {note['code']:11}  {note['text']}"
        for note in explanation["notes"]
    ]
    nothing = [] if fires else ["it never fires again"]
    return "\n".join(
        [visible(text[:1].upper() + text[1:]), *(f"  {line}" for line in (*fires, *nothing, *notes))]
    )


def _on_the_wall(fire: Shape) -> str:
    """The fire in the zone of the schedule: `Mon 2026-11-23 02:30 CET`."""
    from schedulerd.domain.zones import zone

    return f"{datetime.fromisoformat(fire['at']).astimezone(zone(fire['timezone'])):%a %Y-%m-%d %H:%M:%S %Z}"
