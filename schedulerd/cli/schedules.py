"""`schedules`: list, show, next, pause, resume."""

import getpass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.explain import show_fires
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COMING, COUNT
from schedulerd.cli.output import Column, Output, Shape, json_text
from schedulerd.cli.run_pages import facts
from schedulerd.cli.surroundings import surroundings_facts
from schedulerd.cli.tables import Cell, visible
from schedulerd.domain.durations import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schedulerd.domain.schedules import Schedule

schedules = LazyGroup("schedules", help="Schedules: what fires when.")


@schedules.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the schedules in force."""
    found = invocation.operations.schedules.list()
    show_schedules(invocation, found, empty="no schedules yet: write one into config/schedules/")


@schedules.command()
@click.argument("name", metavar="SCHEDULE")
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a schedule."""
    out = invocation.output
    shape = _shape(invocation.operations.schedules.get(name), invocation)
    out.one(shape, lambda: _page(shape, out))


@schedules.command("next")
@click.argument("name", metavar="SCHEDULE")
@click.option("-n", "--number", "limit", type=COUNT, default=10, show_default=True, help="So many fires.")
@click.option("--until", type=COMING, help="Fires up to then: 1d, tomorrow, 2026-12-01.")
@pass_invocation
def next_(invocation: Invocation, name: str, limit: int, until: datetime | None) -> None:
    """Show when a schedule fires next."""
    found = invocation.operations.fires.of_schedule(
        name, limit=limit, until=until, language=invocation.language
    )
    if found:
        show_fires(invocation, found)
        return
    shape = _shape(invocation.operations.schedules.get(name), invocation)
    is_caused = shape["when"]["kind"] in ("after", "file")
    said = f"it has no due times: it runs {shape['text']}" if is_caused else "nothing is going to fire"
    show_fires(invocation, found, empty=said)


@schedules.command()
@click.argument("name", metavar="SCHEDULE")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown with the schedule.")
@pass_invocation
def pause(invocation: Invocation, name: str, reason: str) -> None:
    """Have a schedule fire no more until it is resumed."""
    paused = invocation.operations.schedules.pause(name, actor=getpass.getuser(), reason=reason, by=account())
    show_schedules(invocation, [paused], empty="")


@schedules.command()
@click.argument("name", metavar="SCHEDULE")
@pass_invocation
def resume(invocation: Invocation, name: str) -> None:
    """Have a paused schedule fire again; what it missed is not made up for."""
    show_schedules(invocation, [invocation.operations.schedules.resume(name, by=account())], empty="")


def show_schedules(invocation: Invocation, found: "Iterable[Schedule]", *, empty: str) -> None:
    """Show schedules as a list."""
    out = invocation.output
    out.rows([_shape(one, invocation) for one in found], _columns(out), empty=empty)


def _shape(schedule: "Schedule", invocation: Invocation) -> Shape:
    from schedulerd.operations.schedule_shapes import schedule_shape  # imports zones and more

    return schedule_shape(schedule, language=invocation.language)


def _columns(out: Output) -> list[Column]:
    return [
        Column(title="SCHEDULE", cell=lambda one: Cell(one["name"])),
        Column(title="RUNS", cell=lambda one: Cell(_target(one)), flexible=True),
        Column(title="WHEN", cell=lambda one: Cell(one["when"]["expression"])),
        Column(title="ZONE", cell=lambda one: Cell(one["when"]["timezone"])),
        Column(title="NEXT", cell=lambda one: _next(one, out)),
        Column(title="LAST", cell=lambda one: Cell(out.ago(one["last_due"]))),
        Column(title="IN WORDS", cell=lambda one: Cell(one["text"]), only_wide=True),
        Column(title="ORIGIN", cell=lambda one: Cell(one["origin"]), only_wide=True),
    ]


def _target(schedule: Shape) -> str:
    return str(schedule["flow"]) if "flow" in schedule else f"$ {schedule['command']}"


def _next(schedule: Shape, out: Output) -> Cell:
    if not schedule["enabled"]:
        return Cell("not enabled", "yellow")
    return Cell("paused", "yellow") if schedule["paused"] else Cell(out.ago(schedule["next_due"]))


def _pause(schedule: Shape, out: Output) -> str:
    """Since when it is paused, who did it and why."""
    pause = schedule["paused"]
    return "" if pause is None else f"{out.at_and_ago(pause['at'])}, by {pause['by']}: {pause['reason']}"


def _day_match(when: Shape) -> str:
    match = when.get("day_match")
    return f"{match} of the two day fields" if match else ""


def _local(moment: str | None) -> str:
    return (moment or "").replace("T", " ")


def _duration(milliseconds: int) -> str:
    """As it is written in a schedule file."""
    return duration_text(timedelta(milliseconds=milliseconds))


def _blackout(blackout: Shape | None) -> str:
    """`skip: 0 22 * * 5 for 2d8h, 1 span, 362 days (of holidays DE-BY, closing-days.ics)`."""
    if blackout is None:
        return ""
    closed = [f"{one['cron']} for {_duration(one['duration_ms'])}" for one in blackout["windows"]]
    closed += _counted(len(blackout["spans"]), "span") + _counted(len(blackout["days"]), "day")
    of = f" (of {', '.join(blackout['calendars'])})" if blackout["calendars"] else ""
    return f"{blackout['action']}: {', '.join(closed) or 'nothing'}{of}"


def _counted(number: int, noun: str) -> list[str]:
    return [f"{number:,} {noun}{'' if number == 1 else 's'}"] if number else []


def _page(schedule: Shape, out: Output) -> str:
    policies = schedule["policies"]
    lines = facts(
        [
            ("when", schedule["text"]),
            ("expression", f"{schedule['when']['expression']}  ({schedule['when']['timezone']})"),
            ("days", _day_match(schedule["when"])),
            ("anchor", _local(schedule["when"].get("anchor"))),
            ("start", _local(schedule["start"])),
            ("end", _local(schedule["end"])),
            ("jitter", f"up to {_duration(schedule['jitter_ms'])}" if schedule["jitter_ms"] else ""),
            ("blackout", _blackout(schedule["blackout"])),
            ("flow", schedule.get("flow", "")),
            ("command", schedule.get("command", "")),
            *surroundings_facts(schedule),
            ("parameters", json_text(schedule["parameters"]) if schedule["parameters"] else ""),
            ("next", out.at_and_ago(schedule["next_due"]) if schedule["enabled"] else "not enabled"),
            ("paused", _pause(schedule, out)),
            ("last", out.at_and_ago(schedule["last_due"])),
            ("missed", f"catch up {policies['catchup']}"),
            ("overlap", policies["overlap"]),
            ("origin", schedule["origin"]),
        ]
    )
    return "\n".join([click.style(visible(schedule["name"]), bold=True), *lines])
