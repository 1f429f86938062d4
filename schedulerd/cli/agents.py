"""`agents`: list, show, drain, resume, forget."""

from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import DURATION
from schedulerd.cli.output import Column, Output, Shape
from schedulerd.cli.run_pages import facts
from schedulerd.cli.tables import Cell, visible
from schedulerd.errors import WaitTimeout
from schedulerd.garbage import look_for_garbage_again

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from schedulerd.operations.agents import AgentRuns

_LOOK_SECONDS: Final = 0.5
_COLORS: Final = {"online": "green", "offline": "red"}

agents = LazyGroup("agents", help="Agents: who starts runs.")


@agents.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the agents, those that are gone too."""
    _show(invocation, invocation.operations.agents.list())


@agents.command()
@click.argument("name", metavar="AGENT")
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show an agent and its runs."""
    shape = _shape(invocation.operations.agents.get(name), invocation)
    invocation.output.one(shape, lambda: _page(shape, invocation.output))


@agents.command()
@click.argument("name", metavar="AGENT")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown with the agent.")
@click.option("--wait", "waits", is_flag=True, help="Wait until none of its runs is left.")
@click.option("--timeout", type=DURATION, help="With --wait: no longer than that; it stays drained.")
@pass_invocation
def drain(invocation: Invocation, name: str, reason: str, waits: bool, timeout: "timedelta | None") -> None:
    """Have an agent start no more runs until it is resumed, also after it was started anew.

    What is due waits, and what runs goes on; the agent can be stopped when none of its runs is left.
    """
    if timeout is not None and not waits:
        raise click.UsageError("--timeout is for --wait")
    found = invocation.operations.agents.drain(name, reason=reason, by=account())
    if waits:
        found = _wait(invocation, found, timeout)
    shape = _shape(found, invocation)
    invocation.output.one(shape, lambda: _page(shape, invocation.output))


@agents.command()
@click.argument("name", metavar="AGENT")
@pass_invocation
def resume(invocation: Invocation, name: str) -> None:
    """Have a drained agent start runs again."""
    _show(invocation, [invocation.operations.agents.resume(name, by=account())])


@agents.command()
@click.argument("name", metavar="AGENT")
@pass_invocation
def forget(invocation: Invocation, name: str) -> None:
    """Forget an agent that is gone for good; its runs stay in the history."""
    agent = invocation.operations.agents.forget(name, by=account())
    invocation.output.say(f"{agent.name} is forgotten; it is known again when it comes back")


def _wait(invocation: Invocation, found: "AgentRuns", timeout: "timedelta | None") -> "AgentRuns":
    """The agent when none of its runs is left. Raises `WaitTimeout`."""
    look_for_garbage_again()  # it may look for hours
    name, pause, clock = found.agent.name, Event(), invocation.clock
    deadline = None if timeout is None else clock.monotonic() + timeout.total_seconds()
    while found.runs:
        if deadline is not None and clock.monotonic() >= deadline:
            left = ", ".join(one.run.selector for one in found.runs)
            raise WaitTimeout(f"{name} stays drained, and {left} goes on")
        pause.wait(_LOOK_SECONDS)
        found = invocation.operations.agents.get(name)
    return found


def _show(invocation: Invocation, found: "Iterable[AgentRuns]") -> None:
    out = invocation.output
    columns = [
        Column(title="STATE", cell=_state),
        Column(title="AGENT", cell=lambda one: Cell(one["name"])),
        Column(title="RUNS", cell=lambda one: Cell(_places(one)), right=True),
        Column(title="VERSION", cell=lambda one: Cell(one["version"])),
        Column(title="SINCE", cell=lambda one: Cell(out.ago(one["started_at"]))),
        Column(title="SEEN", cell=lambda one: Cell(out.ago(one["beat_at"]))),
        Column(title="DRAINED", cell=lambda one: Cell(_drained(one)), flexible=True),
    ]
    empty = "no agent has ever given a sign of life: `schedulerd start`"
    out.rows([_shape(one, invocation) for one in found], columns, empty=empty)


def _shape(found: "AgentRuns", invocation: Invocation) -> Shape:
    from schedulerd.operations.status_shapes import agent_runs_shape  # imports zones and more

    return agent_runs_shape(found, now=invocation.now())


def _state(agent: Shape) -> Cell:
    return Cell(agent["state"].replace("_", " "), _COLORS.get(agent["state"], "yellow"))


def _places(agent: Shape) -> str:
    most = agent["status"].get("max_running")
    return f"{len(agent['runs'])} of {most}" if most else str(len(agent["runs"]))


def _drained(agent: Shape) -> str:
    drain = agent["drain"]
    return "" if drain is None else f"{drain['by']}: {drain['reason']}" if drain["reason"] else drain["by"]


def _page(agent: Shape, out: Output) -> str:
    drain = agent["drain"]
    lines = facts(
        [
            ("state", agent["state"].replace("_", " ")),
            ("drained", "" if drain is None else f"{out.at_and_ago(drain['at'])}, {_drained(agent)}"),
            ("host", f"{agent['host']}, process {agent['pid']}"),
            ("version", agent["version"]),
            ("since", out.at_and_ago(agent["started_at"])),
            ("seen", out.at_and_ago(agent["beat_at"])),
            ("runs", _places(agent)),
        ]
    )
    return "\n".join([click.style(visible(agent["name"]), bold=True), *lines, *_runs(agent, out)])


def _runs(agent: Shape, out: Output) -> list[str]:
    """The runs, as those that a drain waits for where there is one."""
    if not agent["runs"]:
        return [] if agent["drain"] is None else ["", "it waits for no run: it can be stopped"]
    title = "runs" if agent["drain"] is None else "it waits for"
    return ["", title, *(f"  {_run(one, out)}" for one in agent["runs"])]


def _run(run: Shape, out: Output) -> str:
    return f"{visible(run['name'])}  {run['state']}  {out.ago(run['started_at'])}{_usual(run, out)}"


def _usual(run: Shape, out: Output) -> str:
    if run["usual_end"] is None:
        return ""
    is_past = datetime.fromisoformat(run["usual_end"]) <= out.now
    return ", takes longer than usual" if is_past else f", usually ends {out.relative(run['usual_end'])}"
