"""`runs`: list, show, logs, wait, cancel; and `ps`."""

import getpass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from schedulerd.cli import moments
from schedulerd.cli.account import account
from schedulerd.cli.commands import Command, Lazy, LazyGroup
from schedulerd.cli.following import wait_for_ends
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COUNT, DURATION, PAST, STATE
from schedulerd.cli.output import Column, Output, Shape, json_text
from schedulerd.cli.run_pages import run_page
from schedulerd.cli.states import state_cell
from schedulerd.cli.tables import Cell
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from schedulerd.domain.child_runs import AnyRun

runs = LazyGroup(
    "runs",
    help="Runs: what ran, what goes on, what came of it.",
    lazy={
        "logs": Lazy("schedulerd.cli.logs:logs", "Show the log of a run."),
        "result": Lazy("schedulerd.cli.reruns:result", "Show what a run, or a task of it, returned."),
        "approve": Lazy("schedulerd.cli.approvals:approve", "Decide about a run that waits for approval."),
        "resume": Lazy("schedulerd.cli.approvals:approve", "Decide about a run that waits for approval."),
        "artifacts": Lazy("schedulerd.cli.told:artifacts", "Show what a run made for people to see."),
        "retry": Lazy("schedulerd.cli.reruns:retry", "Try runs that ended badly again."),
        "rerun": Lazy("schedulerd.cli.reruns:rerun", "Ask for a new run like one that was."),
    },
)


@runs.command("list")
@click.option("--flow", "flows", multiple=True, metavar="FLOW", help="Runs of this flow; may be repeated.")
@click.option(
    "--state", "states", multiple=True, type=STATE, metavar="STATE", help="In this state; may be repeated."
)
@click.option("--schedule", metavar="SCHEDULE", help="Runs of this schedule.")
@click.option("-s", "--since", type=PAST, help="Recorded since then: 15m, 1d, yesterday, 2026-11-01.")
@click.option("--until", type=PAST, help="Recorded before then.")
@click.option("--text", metavar="TEXT", help="With this text in flow, parameters, reason or error.")
@click.option("--children", is_flag=True, help="Also child runs: of flows that were called within others.")
@click.option("-n", "--number", "limit", type=COUNT, default=50, show_default=True, help="At most so many.")
@pass_invocation
def list_(
    invocation: Invocation,
    flows: tuple[str, ...],
    states: tuple[str, ...],
    schedule: str | None,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    children: bool,
    limit: int,
) -> None:
    """List runs, newest first."""
    wanted = RunFilter(
        flows=flows,
        states=frozenset(map(RunState, states)),
        schedule=schedule,
        since=since,
        until=until,
        text=text,
        limit=limit,
    )
    asked = invocation.operations.runs
    found = asked.list_with_children(wanted) if children else asked.list(wanted)
    show_runs(invocation, found, empty="no runs match")


@runs.command()
@click.argument("selectors", metavar="RUN...", nargs=-1, required=True)
@pass_invocation
def show(invocation: Invocation, selectors: tuple[str, ...]) -> None:
    """Show runs with their tasks and what they went through."""
    from schedulerd.operations.shapes import run_details_shape  # imports zones and more

    out = invocation.output
    found = [invocation.operations.runs.details(selector) for selector in selectors]
    shapes = [run_details_shape(one, now=out.now) for one in found]
    if out.format == "json" and len(shapes) > 1:
        out.line(json_text(shapes, indent=2))
        return
    for shape in shapes:
        out.one(shape, lambda shape=shape: run_page(shape, out), name="id")  # type: ignore[misc]
    held_by = invocation.operations.daemon.held_by()
    if held_by and any(shape["late"] for shape in shapes):
        out.say(f"no runs are started now, because {held_by}")


@runs.command()
@click.argument("selectors", metavar="RUN...", nargs=-1, required=True)
@click.option("--timeout", type=DURATION, help="Wait no longer than that; the runs go on.")
@pass_invocation
def wait(invocation: Invocation, selectors: tuple[str, ...], timeout: "timedelta | None") -> None:
    """Wait until runs have ended; the exit code tells how."""
    found = [invocation.operations.runs.get(selector) for selector in selectors]
    ended, code = wait_for_ends(invocation, found, timeout=timeout)
    show_runs(invocation, ended, empty="")
    click.get_current_context().exit(code)


@runs.command()
@click.argument("selectors", metavar="RUN...", nargs=-1, required=True)
@click.option("--kill", "kills", is_flag=True, help="Without any grace, also those that are being cancelled.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the run.")
@pass_invocation
def cancel(invocation: Invocation, selectors: tuple[str, ...], kills: bool, reason: str) -> None:
    """Ask that runs be cancelled: they are told to end, and killed when their grace is over."""
    runs = invocation.operations.runs
    ask = partial(runs.kill, by=account()) if kills else runs.cancel
    found = [ask(one, actor=getpass.getuser(), reason=reason) for one in selectors]
    show_runs(invocation, found, empty="")
    if invocation.operations.daemon.pid() is None:
        invocation.output.say("no daemon runs: it is recorded, and done when one is started")
    else:
        invocation.output.say("cancelling; `schedulerd runs wait` tells when it has ended")


@click.command(cls=Command)
@pass_invocation
def ps(invocation: Invocation) -> None:
    """List the runs that go on or wait, for their time, their turn or a place."""
    show_runs(invocation, invocation.operations.runs.active(), empty="nothing runs or waits")


def show_runs(invocation: Invocation, found: "Sequence[AnyRun]", *, empty: str) -> None:
    """Show runs as a list."""
    from schedulerd.operations.shapes import run_shape  # imports zones and more

    out = invocation.output
    shapes = [run_shape(run, now=out.now) for run in found]
    out.rows(shapes, columns(out), empty=empty, name="id")


def columns(out: Output) -> list[Column]:
    """The columns of a list of runs."""
    return [
        Column(title="STATE", cell=lambda run: state_cell(run["state"], late=run["late"])),
        Column(title="RUN", cell=lambda run: Cell(name_of(run))),
        Column(title="STARTED", cell=lambda run: Cell(_started(run, out))),
        Column(title="DURATION", cell=lambda run: Cell(moments.duration(run["duration_ms"])), right=True),
        Column(title="TRIGGER", cell=lambda run: Cell(run["trigger"])),
        Column(title="SCHEDULE", cell=lambda run: Cell(run["schedule"] or ""), only_wide=True),
        Column(title="DUE", cell=lambda run: Cell(out.at(run["due_at"])), only_wide=True),
        Column(title="PARAMETERS", cell=lambda run: Cell(_parameters(run)), only_wide=True),
        Column(title="ID", cell=lambda run: Cell(run["id"]), only_wide=True),
        Column(
            title="ERROR", cell=lambda run: Cell(why(run), "red" if run["error"] else None), flexible=True
        ),
    ]


def name_of(run: Shape) -> str:
    """`etl#12`, and of a child run also what it is called: `etl#12.3 load`."""
    return f"{run['name']} {run['flow_run_name']}" if run["root"] else str(run["name"])


def why(run: Shape) -> str:
    """Why a run is not as one wants it: `KeyError: 'region' (load)`, or the reason of its state."""
    error = run["error"]
    if error is None:
        return "" if run["state"] == "completed" else str(run["reason"])
    said = f"{error['type']}: {error['message']}" if error["message"] else error["type"]
    return " ".join(f"{said} ({error['task']})".split()) if error["task"] else " ".join(said.split())


def _started(run: Shape, out: Output) -> str:
    if run["started_at"] is not None:
        return out.ago(run["started_at"])
    return f"due {out.ago(run['due_at'])}" if run["state"] == "scheduled" else out.ago(run["ended_at"])


def _parameters(run: Shape) -> str:
    return json_text(run["parameters"]) if run["parameters"] else ""
