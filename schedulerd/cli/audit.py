"""`audit`: who changed what."""

from datetime import datetime

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COUNT, PAST
from schedulerd.cli.output import Column, Shape, json_text
from schedulerd.cli.tables import Cell


@click.command(cls=Command)
@click.option("-s", "--since", type=PAST, metavar="TIME", help="From this time on.")
@click.option("--who", metavar="NAME", help="Only what this one changed.")
@click.option(
    "-n", "--number", type=COUNT, default=50, show_default=True, help="At most so many, the newest."
)
@pass_invocation
def audit(invocation: Invocation, since: datetime | None, who: str | None, number: int) -> None:
    """Show who changed what, from where, and what it was before; the newest first. With `-o wide` field by field."""
    from schedulerd.domain.audit import AuditFilter
    from schedulerd.operations.access_shapes import entry_shape  # imports zones and more

    out = invocation.output
    wanted = AuditFilter(since=since, who=who, limit=number)
    shapes = [entry_shape(one) for one in invocation.operations.audit.list(wanted)]
    columns = [
        Column(title="WHEN", cell=lambda one: Cell(out.ago(one["at"]))),
        Column(title="WHO", cell=lambda one: Cell(one["who"])),
        Column(title="BY", cell=lambda one: Cell(one["means"])),
        Column(title="WHAT", cell=lambda one: Cell(one["what"])),
        Column(title="TARGET", cell=lambda one: Cell(one["target"]), flexible=True),
        Column(title="FROM", cell=lambda one: Cell(one["address"])),
        Column(title="CHANGED", cell=lambda one: Cell(_changed(one)), only_wide=True),
    ]
    out.rows(shapes, columns, empty="nothing that is kept in the audit was changed", name="id")


def _changed(shape: Shape) -> str:
    """Each field that was changed, with what it was and is."""
    return "; ".join(f"{one['field']}: {_was_and_is(one)}" for one in shape["changes"])


def _was_and_is(change: Shape) -> str:
    before, after = (None if change[one] is None else json_text(change[one]) for one in ("before", "after"))
    return f"{before or '–'} → {after or '–'}" if before is not None else str(after)
