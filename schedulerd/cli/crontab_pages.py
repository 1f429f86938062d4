"""What was understood of a crontab: as a shape, and line by line for people."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from schedulerd.cli.output import Output, Shape
from schedulerd.cli.tables import shortened, visible
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.timing import Timing
from schedulerd.domain.wording import in_words
from schedulerd.domain.zones import zone
from schedulerd.engine.sendmail import find_sendmail
from schedulerd.errors import BadDefinition
from schedulerd.operations.schedule_shapes import when_shape
from schedulerd.operations.shapes import time_text
from schedulerd.watch.crontab_directives import Directive
from schedulerd.watch.crontab_lines import Remark, Setting
from schedulerd.watch.crontabs import Crontab, Held, Line

_LONGEST_SHOWN: Final = 100
_LOCALTIME: Final = "/etc/localtime"


def shape(crontab: Crontab, *, file: Path | None, now: datetime) -> Shape:
    """The crontab as `-o json` shows it. `file` is what is made of it."""
    lines = [_line_shape(line, now) for line in crontab.lines]
    left_out = [line for line in lines if line["kind"] in ("error", "held")]
    return {
        "origin": crontab.path,
        "file": None if file is None else str(file),
        "schedules": len(crontab.definitions),
        "left_out": len(left_out),
        "lines": lines,
    }


def _line_shape(line: Line, now: datetime) -> Shape:
    return {"line": line.number, "source": line.source, "note": line.note, **_said_shape(line, now)}


def _said_shape(line: Line, now: datetime) -> Shape:
    match line.said:
        case ScheduleDefinition() as definition:
            return _schedule_shape(definition, now)
        case Setting(name=name, value=value):
            return {"kind": "variable", "name": name, "value": value}
        case BadDefinition(reason=reason):
            return {"kind": "error", "message": reason}
        case Held(by=by):
            return {"kind": "held", "message": f"left out for what is wrong on line {by}"}
        case Directive():
            return {"kind": "directive"}
        case Remark(text=text):
            return {"kind": "comment" if text else "blank"}


def _schedule_shape(definition: ScheduleDefinition, now: datetime) -> Shape:
    at = Timing(definition=definition, first_seen=now).next_at(now)
    return {
        "kind": "schedule",
        "name": definition.name,
        "command": definition.command,
        "when": when_shape(definition.when),
        "text": in_words(definition.when, name=definition.name),
        "next_due": time_text(at),
        "stdin": definition.stdin,
        "environment": dict(definition.environment),
        "mail_to": definition.mail_to,
        "policies": {
            "catchup": definition.policies.catchup.value,
            "overlap": definition.policies.overlap.value,
        },
    }


def page(found: Shape, out: Output) -> str:
    """The shape for people: each line, and below it what it means."""
    lines = [line for line in found["lines"] if line["kind"] != "blank"]
    width = len(str(lines[-1]["line"])) if lines else 1
    return "\n".join(text for line in lines for text in _told(line, width, out))


def _told(line: Shape, width: int, out: Output) -> Iterator[str]:
    source = shortened(visible(line["source"].strip()), _LONGEST_SHOWN)
    is_remark = line["kind"] in ("comment", "directive")
    yield f"{line['line']:>{width}}  {click.style(source, fg='bright_black') if is_remark else source}"
    for text in _meaning(line, out):
        yield f"{' ' * width}    {text}"


def _meaning(line: Shape, out: Output) -> Iterator[str]:
    match line["kind"]:
        case "schedule":
            yield from _schedule(line, out)
        case "error" | "held":
            first, *rest = map(visible, line["message"].splitlines())
            yield f"{click.style('✕', fg='red')} {first}"
            yield from (f"  {text}" for text in rest)
        case "variable" if line["note"]:
            yield click.style(visible(line["note"]), fg="bright_black")


def _schedule(line: Shape, out: Output) -> Iterator[str]:
    yield f"{click.style('✓', fg='green')} {click.style(visible(line['name']), bold=True)}  {line['text']}"
    if line["next_due"] is not None:
        at = datetime.fromisoformat(line["next_due"])
        local = at.astimezone(zone(line["when"]["timezone"]))
        yield f"  next   {out.relative(line['next_due'])}, {local:%a %Y-%m-%d %H:%M:%S %Z}"
    if not line["source"].rstrip().endswith(line["command"]):
        yield f"  runs   {shortened(visible(line['command']), _LONGEST_SHOWN)}"
    if line["stdin"]:
        yield f"  reads  {shortened(repr(line['stdin']), _LONGEST_SHOWN)}"


def told_after(found: Shape, *, target: Path, dry_run: bool, environ: Mapping[str, str]) -> Iterator[str]:
    """What there is to say besides: what was written, and what differs from cron on this machine."""
    schedules = [line for line in found["lines"] if line["kind"] == "schedule"]
    counted = f"{len(schedules)} schedule{'' if len(schedules) == 1 else 's'}"
    if found["left_out"]:
        counted += f", {found['left_out']} line{'' if found['left_out'] == 1 else 's'} left out"
    if any(line["mail_to"] for line in schedules) and find_sendmail(environ.get("PATH", "")) is None:
        yield click.style("note", fg="yellow") + "  this machine has no sendmail: nothing will be mailed"
    yield from _zone_note(schedules)
    if found["file"] is not None:
        yield f"wrote {found['file']}: {counted}"
        yield "cron runs these lines as long as it has them too: take them out there (crontab -e)"
    elif dry_run:
        yield f"{counted}; nothing was written, without --dry-run it would be {target}"
    else:
        yield f"{counted}: nothing to write"


def _zone_note(schedules: Sequence[Shape]) -> Iterator[str]:
    """Cron means the time of the machine, which need not be that of the settings."""
    _, _, machines = os.path.realpath(_LOCALTIME).partition("/zoneinfo/")
    meant = sorted({line["when"]["timezone"] for line in schedules if "CRON_TZ" not in line["environment"]})
    if machines and meant and meant != [machines] and not _are_same(machines, meant[0]):
        yield (
            click.style("note", fg="yellow")
            + f"  times are read in {meant[0]}, where cron on this machine means {machines}; "
            f"--tz {machines}, or `timezone` in the settings, says so here"
        )


def _are_same(one: str, other: str) -> bool:
    """Are these two names of Coordinated Universal Time?"""
    return {one, other} <= {
        "UTC",
        "Etc/UTC",
        "Universal",
        "Zulu",
        "Etc/Universal",
        "Etc/Zulu",
        "UCT",
        "Etc/UCT",
    }
