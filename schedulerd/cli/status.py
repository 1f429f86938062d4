"""`status`: whether the daemon runs, and how everything stands."""

import re
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.errors import SUCCESS, UNREACHABLE
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Output, Shape
from schedulerd.cli.run_pages import facts
from schedulerd.cli.tables import visible
from schedulerd.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schedulerd.operations.daemon import DaemonStatus


# How the findings of one file are joined into one message.
_JOINT: Final = re.compile(r"; (?=line (?:[0-9]+|None): |and [0-9,]+ more$)")


@click.command(cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show whether the daemon runs, and how it does; exit code 6 when it does not run, or starts no runs."""
    from schedulerd.operations.status_shapes import status_shape

    def shaped(status: "DaemonStatus") -> Shape:
        return status_shape(status, now=invocation.now())

    daemon = invocation.operations_before_upgrade.daemon
    try:
        found = daemon.status()
    except Unreachable:
        _show(daemon.status_without_database(), shaped, invocation.output)
        raise
    _show(found, shaped, invocation.output)
    click.get_current_context().exit(SUCCESS if found.is_ready else UNREACHABLE)


def _show(found: "DaemonStatus", shaped: "Callable[[DaemonStatus], Shape]", out: Output) -> None:
    shape = shaped(found)
    out.one(shape, lambda: _page(shape, out, hangs=found.hangs), name="pid")


def _page(status: Shape, out: Output, *, hangs: bool) -> str:
    known = [*_facts(status, out), *_problems(status)] if status["runs"] is not None else []
    return "\n".join([_title(status), *_troubles(status, out, hangs=hangs), *known])


def _title(status: Shape) -> str:
    if status["running"]:
        color = "green" if status["ready"] and not status["troubles"] else "yellow"
        return click.style(f"● schedulerd runs (process {status['pid']})", fg=color)
    return click.style("○ schedulerd does not run", fg="yellow") + "; start it with `schedulerd start`"


def _troubles(status: Shape, out: Output, *, hangs: bool) -> "Iterator[str]":
    """What is wrong, and what to do about it."""
    if hangs:
        yield click.style(f"✕ it has given no sign of life for {status['silent_seconds']:.0f} s", fg="red")
        yield f"    `schedulerd stop` it, or `kill -9 {status['pid']}` where it does not end, and `start` it; runs live on"
    held = status["running"] and not status["ready"] and status["troubles"]
    if held:
        yield click.style("✕ no runs are started", fg="red")
    for trouble in status["troubles"]:
        yield (
            click.style(f"✕ {visible(trouble['reason'])}", fg="red") + f"  ({out.relative(trouble['since'])})"
        )
        if trouble["mend"]:
            yield f"    {visible(trouble['mend'])}"


def _facts(status: Shape, out: Output) -> list[str]:
    runs = status["runs"]
    agents = [agent for agent in status["agents"] if agent["pid"] == status["pid"]]
    return facts(
        [
            ("version", agents[0]["version"] if agents else ""),
            ("since", out.at_and_ago(agents[0]["started_at"]) if agents else ""),
            ("state", status["state_dir"]),
            ("database", status["database"]),
            ("flows", f"{status['flows']}, with {status['schedules']} schedules"),
            ("runs", f"{runs['running']} running, {runs['waiting']} waiting"),
            ("next due", out.at_and_ago(status["next_due"])),
        ]
    )


def _problems(status: Shape) -> "Iterator[str]":
    problems = status["problems"]
    if problems:
        yield ""
        yield click.style(f"✕ {len(problems)} file{'s' if len(problems) > 1 else ''} with errors", fg="red")
    for problem in problems:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        first, *findings = _JOINT.split(problem["message"])
        yield from _finding(f"{place}: {first}")
        for finding in findings:
            yield from _finding(finding.removeprefix("line None: "), indent="    ")


def _finding(text: str, *, indent: str = "  ") -> "Iterator[str]":
    first, *more = text.splitlines() or [""]
    yield f"{indent}{visible(first)}"
    for line in more:
        yield f"{indent}  {visible(line)}"
