"""`explain` and `next`: when things fire."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COMING, COUNT
from schedulerd.cli.output import Column, Output, Shape
from schedulerd.cli.tables import Cell, draw, visible, wrapped

if TYPE_CHECKING:
    from schedulerd.domain.wording import Language
    from schedulerd.operations.explaining import Fire

_INDENT: Final = len("  note  short-month   ")
_NARROWEST: Final = 30


@click.command(cls=Command)
@click.argument("expression", metavar='"EXPRESSION"')
@click.option("-n", "--number", "limit", type=COUNT, default=5, show_default=True, help="So many next fires.")
@click.option("--from", "after", type=COMING, help="Fires after then, instead of now.")
@click.option(
    "--name", default="", metavar="SCHEDULE", help="The schedule it is for; H in it depends on that."
)
@pass_invocation
def explain(invocation: Invocation, expression: str, limit: int, after: datetime | None, name: str) -> None:
    """Say in words when an expression fires: "30 2 * * *", 15m, 2026-12-01T09:00, "FREQ=MONTHLY;BYDAY=2FR", @reboot.

    It is meant in the zone of --tz, else in that of the settings. --lang ko says it in Korean. An invalid expression
    ends with exit code 8.
    """
    from schedulerd.operations.explaining import explain as explained
    from schedulerd.operations.schedule_shapes import explanation_shape

    found = explained(
        expression,
        timezone=invocation.zone_name or invocation.settings.timezone,
        name=name,
        after=after or invocation.now(),
        limit=limit,
        language=invocation.language,
    )
    shape = explanation_shape(found)
    language = invocation.language
    invocation.output.one(shape, lambda: _page(shape, invocation.output, language), name="expression")


@click.command("next", cls=Command)
@click.argument("name", metavar="[FLOW|SCHEDULE]", required=False)
@click.option("-n", "--number", "limit", type=COUNT, default=10, show_default=True, help="So many fires.")
@click.option("--until", type=COMING, help="Fires up to then: 1d, tomorrow, 2026-12-01.")
@pass_invocation
def next_(invocation: Invocation, name: str | None, limit: int, until: datetime | None) -> None:
    """Show what fires next, across everything or of one flow or schedule."""
    show_fires(
        invocation,
        invocation.operations.fires.next(name, limit=limit, until=until, language=invocation.language),
    )


def show_fires(
    invocation: Invocation, found: "Sequence[Fire]", *, empty: str = "nothing is going to fire"
) -> None:
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
    out.rows(shapes, columns, empty=empty, name="at")


def _page(explanation: Shape, out: Output, language: "Language") -> str:
    text = explanation["text"]
    rows = [
        [
            Cell("next", "bright_black"),
            Cell(out.relative(fire["at"])),
            Cell(_on_the_wall(fire, language)),
            Cell(_in_utc(fire), "bright_black"),
            Cell(fire["note"], "yellow"),
        ]
        for fire in explanation["fires"]
    ]
    flags = [False] * 5
    fires = draw([""] * 5, rows, flexible=flags, right=flags, width=None)[1:]
    if explanation["when"]["kind"] in ("after", "file"):
        fires = []
    if explanation["when"]["kind"] == "reboot":
        fires = [f"{click.style('next', fg='bright_black')}  when the machine starts"]
    return "\n".join(
        [
            visible(text[:1].upper() + text[1:]),
            *(f"  {line}" for line in (*fires, *_notes(explanation, out.width))),
        ]
    )


def _notes(explanation: Shape, width: int | None) -> list[str]:
    """The notes with their codes in a column; what is too long for the terminal goes on below itself."""
    return [line for note in explanation["notes"] for line in _note(note, width)]


def _note(note: Shape, width: int | None) -> Iterator[str]:
    first, *more = wrapped(visible(note["text"]), None if width is None else max(_NARROWEST, width - _INDENT))
    yield f"{click.style('note', fg='yellow')}  {note['code']:12}  {first}"
    yield from (f"{' ' * (_INDENT - 2)}{line}" for line in more)


def _on_the_wall(fire: Shape, language: "Language") -> str:
    """The fire in the zone of the schedule: `Mon 2026-11-23 02:30:00 CET`."""
    from schedulerd.domain.wording import day_name
    from schedulerd.domain.zones import zone

    shown = datetime.fromisoformat(fire["at"]).astimezone(zone(fire["timezone"]))
    return f"{day_name(shown, language=language)} {shown:%Y-%m-%d %H:%M:%S %Z}"


def _in_utc(fire: Shape) -> str:
    """`01:30Z`, with its seconds where there are any, and with its day where that is another one."""
    at, local = datetime.fromisoformat(fire["at"]), datetime.fromisoformat(fire["local"])
    day = "" if at.date() == local.date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S}Z" if at.second else f"{day}{at:%H:%M}Z"
