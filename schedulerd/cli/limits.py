"""`limits`: list, set, unset."""

from typing import TYPE_CHECKING

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell

if TYPE_CHECKING:
    from schedulerd.domain.named_limits import LimitUse

limits = LazyGroup("limits", help="Limits by name, of which code within runs takes slots.")


@limits.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the limits, and who holds slots."""
    shapes = [_shape(one, invocation) for one in invocation.operations.named_limits.list()]
    columns = [
        Column(title="LIMIT", cell=lambda one: Cell(one["name"])),
        Column(title="SLOTS", cell=lambda one: Cell(str(one["slots"])), right=True),
        Column(title="TAKEN", cell=lambda one: Cell(f"{one['taken']:g}"), right=True),
        Column(title="PER SECOND", cell=lambda one: Cell(_rate(one)), right=True),
        Column(title="HELD BY", cell=lambda one: Cell(", ".join(one["held_by"])), flexible=True),
    ]
    invocation.output.rows(shapes, columns, empty="no limits yet: `schedulerd limits set NAME SLOTS`")


@limits.command("set")
@click.argument("name", metavar="NAME")
@click.argument("slots", metavar="SLOTS", type=int)
@click.option(
    "--per-second",
    type=float,
    metavar="N",
    help="Slots come back by time, so many a second: for rate_limit().",
)
@pass_invocation
def set_(invocation: Invocation, name: str, slots: int, per_second: float | None) -> None:
    """Set a limit, new or not: so many SLOTS at a time. With 0 whoever asks waits."""
    made = invocation.operations.named_limits.set(name, slots, per_second=per_second, by=account())
    shape = _shape(made, invocation)
    rate = f", {_rate(shape)} a second" if shape["per_second"] else ""
    invocation.output.one(shape, lambda: f"{name} has {slots} slots{rate}")


@limits.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def unset(invocation: Invocation, name: str) -> None:
    """Remove a limit: code that names it waits for nothing."""
    invocation.operations.named_limits.unset(name, by=account())
    invocation.output.say(f"{name} is no limit any more")


def _rate(limit: Shape) -> str:
    return "" if limit["per_second"] is None else f"{limit['per_second']:g}"


def _shape(use: "LimitUse", invocation: Invocation) -> Shape:
    from schedulerd.operations.setting_shapes import limit_shape  # imports zones and more

    return limit_shape(use, now=invocation.now())
