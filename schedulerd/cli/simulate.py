"""`simulate`: what schedules would do over a stretch of time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COMING, DURATION, LINES, SPAN
from schedulerd.cli.output import Column, Output, Shape
from schedulerd.cli.states import state_cell
from schedulerd.cli.tables import Cell
from schedulerd.errors import BadExpression

if TYPE_CHECKING:
    from schedulerd.operations.simulating import Simulated, Stretch

_MOST_COUNTED: Final = 10_000
"""So many decisions beyond those that are shown are counted; a longer stretch is cut off there."""


@click.command(cls=Command)
@click.argument("name", metavar="[FLOW|SCHEDULE]", required=False)
@click.option("--from", "start", type=COMING, required=True, help="From then on: now, tomorrow, 2026-03-28.")
@click.option("--to", "end", type=COMING, required=True, help="Up to then, and without it: 2d, 2026-03-30.")
@click.option(
    "--down",
    multiple=True,
    type=SPAN,
    metavar="T1..T2",
    help="The daemon is down from then to then; may be repeated.",
)
@click.option("--takes", type=DURATION, default="0s", show_default=True, help="So long each run takes.")
@click.option(
    "-n", "--number", "limit", type=LINES, default=200, show_default=True, help="Show so many; 0: all."
)
@pass_invocation
def simulate(
    invocation: Invocation,
    name: str | None,
    start: datetime,
    end: datetime,
    down: tuple[tuple[datetime, datetime], ...],
    takes: timedelta,
    limit: int,
) -> None:
    """Show what schedules would do over a stretch of time, downtime included; nothing is run or recorded.

    It asks what the daemon asks: each due time starts, or is skipped for a reason. Every run is taken to last as
    long as --takes says, and to find a place: limits and
    pools, and so priorities, are not looked at. A schedule that is paused stays so to the end.
    """
    simulated = invocation.operations.simulation.run(_stretch(start, end, down, takes), name=name)
    _show(invocation.output, simulated, limit or None)


def _stretch(
    start: datetime, end: datetime, down: tuple[tuple[datetime, datetime], ...], takes: timedelta
) -> "Stretch":
    from schedulerd.operations.simulating import Stretch  # imports zones and more

    try:
        return Stretch(start=start, end=end, down=down, takes=takes)
    except BadExpression as error:
        raise click.UsageError(error.reason) from error


def _show(out: Output, simulated: "Simulated", limit: int | None) -> None:
    """The first of the decisions, and of all of them how many there are of each kind."""
    from schedulerd.operations.schedule_shapes import decision_shape

    found = (decision_shape(one, flow) for one, flow in simulated.decisions)
    shown = list(islice(found, limit))
    if not simulated.schedules:
        empty = "no schedules are in force: write one into config/schedules/, and `schedulerd start`"
    else:
        empty = "nothing is due in this stretch"
    out.rows(shown, _columns(out), empty=empty, name="at")
    if shown:
        rest = list(islice(found, _MOST_COUNTED + 1))
        _sum_up(out, shown, rest)


def _sum_up(out: Output, shown: Sequence[Shape], rest: Sequence[Shape]) -> None:
    is_cut_off = len(rest) > _MOST_COUNTED
    if rest:
        more = f"more than {_MOST_COUNTED:,}" if is_cut_off else f"{len(rest):,}"
        out.say(f"{more} more are not shown (-n 0 shows all)")
    everything = [*shown, *rest]
    out.say(
        f"in the first {len(everything):,} lines: {_figures(everything)}"
        if is_cut_off
        else _figures(everything)
    )


def _figures(shapes: Iterable[Shape]) -> str:
    """`12 due times start, 5 are skipped: 3 coalesced, 2 overlap`."""
    counts: Counter[str] = Counter()
    for shape in shapes:
        counts[shape["reason"]] += shape["count"]
    starts = counts.pop("", 0)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
    said = f"{starts:,} due times start, {counts.total():,} are skipped"
    return f"{said}: {reasons}" if reasons else said


def _columns(out: Output) -> list[Column]:
    return [
        Column(title="AT", cell=lambda one: Cell(out.at(one["at"]))),
        Column(title="SCHEDULE", cell=lambda one: Cell(one["schedule"])),
        Column(title="FLOW", cell=lambda one: Cell(one["flow"] or "")),
        Column(title="OUTCOME", cell=_outcome),
        Column(title="DUE", cell=lambda one: Cell(_due(one, out))),
        Column(
            title="THERE", cell=lambda one: Cell(f"{one['local'][:16]} {one['timezone']}"), only_wide=True
        ),
        Column(title="REASON", cell=lambda one: Cell(_reason(one, out)), flexible=True),
    ]


def _outcome(one: Shape) -> Cell:
    return state_cell("skipped") if one["outcome"] == "skipped" else Cell("▸ starts", "green")


def _due(one: Shape, out: Output) -> str:
    """The due time, where it is not the moment of the decision."""
    return "" if one["due_at"] == one["at"] else out.at(one["due_at"])


def _reason(one: Shape, out: Output) -> str:
    if one["first_due_at"] is None:
        return str(one["reason"])
    return f"{one['reason']}: {one['count']:,} due times from {out.at(one['first_due_at'])}"
