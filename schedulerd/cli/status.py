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
    from collections.abc import Iterator

    from schedulerd.operations.daemon import DaemonStatus


# How the findings of one file are joined into one message.
_JOINT: Final = re.compile(r"; (?=line (?:[0-9]+|None): |and [0-9,]+ more$)")


@click.command(cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show whether the daemon runs, and how it does; exit code 6 when it does not run."""
    from schedulerd.operations.status_shapes import status_shape

    found = _found(invocation)
    shape = status_shape(found)
    invocation.output.one(shape, lambda: _page(shape, invocation.output), name="pid")
    click.get_current_context().exit(SUCCESS if found.pid is not None else UNREACHABLE)


def _found(invocation: Invocation) -> "DaemonStatus":
    """How everything stands; where the database cannot tell, whether the daemon runs is said all the same."""
    try:
        return invocation.operations.daemon.status()
    except Unreachable:
        pid = invocation.operations_before_upgrade.daemon.pid()
        invocation.output.say(_title({"running": pid is not None, "pid": pid}))
        raise


def _page(status: Shape, out: Output) -> str:
    return "\n".join([_title(status), *_facts(status, out), *_problems(status)])


def _title(status: Shape) -> str:
    if status["running"]:
        return click.style(f"● schedulerd runs (process {status['pid']})", fg="green")
    return click.style("○ schedulerd does not run", fg="yellow") + "; start it with `schedulerd start`"


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
