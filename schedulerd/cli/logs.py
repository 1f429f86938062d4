"""`logs`: what a run said."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.following import follow_log
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import LEVEL, LINES, PAST
from schedulerd.cli.output import Output, json_text
from schedulerd.cli.tables import visible
from schedulerd.domain.states import BAD

if TYPE_CHECKING:
    from schedulerd.domain.child_runs import AnyRun
    from schedulerd.domain.logs import NumberedLine
    from schedulerd.operations.runs import LogPage

_COLORS = {"debug": "bright_black", "warning": "yellow", "error": "red", "critical": "red"}


@click.command(cls=Command)
@click.argument("selector", metavar="[RUN]", default="@last")
@click.option("-f", "--follow", is_flag=True, help="Show lines as they come, until the run has ended.")
@click.option(
    "-n", "--number", "limit", type=LINES, default=200, show_default=True, help="So many lines; 0: all."
)
@click.option("--head", is_flag=True, help="The first lines instead of the last.")
@click.option("--task", metavar="TASK", help="Lines of this task only.")
@click.option("--level", "min_level", type=LEVEL, default="debug", help="Lines of this level and above.")
@click.option("-s", "--since", type=PAST, help="Lines since then: 15m, 1d, 2026-11-01T09:00.")
@click.option("--grep", metavar="REGEX", help="Lines that match.")
@click.option("--raw", is_flag=True, help="The messages only, as they were written.")
@pass_invocation
def logs(
    invocation: Invocation,
    selector: str,
    follow: bool,
    limit: int,
    head: bool,
    task: str | None,
    min_level: int,
    since: datetime | None,
    grep: str | None,
    raw: bool,
) -> None:
    """Show the log of a run: RUN, or the last one."""
    from schedulerd.operations.runs import LineFilter  # imports SQLAlchemy

    asked = invocation.operations.runs
    wanted = LineFilter(task=task, min_level=min_level, since=since, matches=_matcher(grep))
    run = asked.get(selector)
    if follow:
        page = asked.last_lines(run, wanted, limit=limit or None)
        _tell_what_is_left_out(page, invocation.output, "last")
        follow_log(invocation, page, wanted, shower(invocation.output, raw=raw, streams=True))
        return
    read = asked.lines_after if head else asked.last_lines
    page = read(run, wanted, limit=limit or None)
    if not page.lines:
        invocation.output.say(_why_empty(run))
    shower(invocation.output, raw=raw)(page)
    _tell_what_is_left_out(page, invocation.output, "first" if head else "last")


def _why_empty(run: "AnyRun") -> str:
    why = "its log was removed, as it is old" if run.log_removed else "there are no such lines"
    more = f"; why it failed: `schedulerd runs show {run.selector}`" if run.state in BAD else ""
    return f"{run.selector} ({run.state}): {why}{more}"


def _tell_what_is_left_out(page: "LogPage", out: Output, which: str) -> None:
    if len(page.lines) < page.wanted:
        out.say(f"the {which} {len(page.lines):,} of {page.wanted:,} lines; -n 0 shows all")


def shower(out: Output, *, raw: bool = False, streams: bool = False) -> "Callable[[LogPage], None]":
    """What shows a page of lines; in JSON one that `streams` has a line for each."""
    from schedulerd.operations.shapes import line_shape  # imports zones and more

    def show(page: "LogPage") -> None:
        if out.is_for_people or out.format == "name":
            for line in page.lines:
                if raw:
                    out.raw(line.line.message)
                else:
                    out.line(line_text(line, out))
        elif out.format == "json" and streams:
            for line in page.lines:
                out.line(json_text(line_shape(line)))
        else:
            out.rows([line_shape(line) for line in page.lines], [], empty="")

    return show


def line_text(numbered: "NumberedLine", out: Output) -> str:
    """`06:00:01.250 INFO    extract  got 5 rows`, with what a terminal would obey made visible."""
    from schedulerd.domain.logs import level_name

    line = numbered.line
    level = level_name(line.level)
    at = f"{line.at.astimezone(out.zone):%H:%M:%S}.{line.at.microsecond // 1_000:03}"
    names = [name for name in (numbered.child_name, numbered.task_name) if name]
    task = f"{' > '.join(names)}: " if names else ""
    head = click.style(f"{at} {level.upper():8}", fg=_COLORS.get(level, "bright_black"))
    return f"{head} {click.style(visible(task), fg='cyan') if task else ''}{visible(line.message)}"


def _matcher(pattern: str | None) -> Callable[[str], bool] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise click.BadParameter(f"{error}", param_hint="'--grep'") from error
    return lambda message: compiled.search(message) is not None
