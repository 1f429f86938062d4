"""`flows`: list, show, graph, versions, pause, resume."""

import getpass
from typing import TYPE_CHECKING

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Output, Shape, json_text
from schedulerd.cli.run_pages import facts
from schedulerd.cli.states import state_cell
from schedulerd.cli.surroundings import surroundings_facts
from schedulerd.cli.tables import Cell, some, visible

if TYPE_CHECKING:
    from schedulerd.operations.flows import FlowDetails

_MOST_IN_A_ROW = 3
_MOST_ON_A_PAGE = 20

flows = LazyGroup("flows", help="Flows: what can be run.")


@flows.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the flows in force, and the files that cannot be taken as they are."""
    out = invocation.output
    found = invocation.operations.flows.list()
    out.rows(
        [_shape(one) for one in found], _columns(out), empty="no flows yet: put a file into a folder of flows"
    )
    for problem in invocation.operations.flows.errors():
        place = f"{problem.file}:{problem.error.line}" if problem.error.line else problem.file
        out.say(visible(f"✕ {place}: {problem.error.message}"))


@flows.command()
@click.argument("name", metavar="FLOW")
@pass_invocation
def show(invocation: Invocation, name: str) -> None:
    """Show a flow: its file, parameters, tasks and schedules."""
    out = invocation.output
    shape = _shape(invocation.operations.flows.get(name))
    out.one(shape, lambda: _page(shape, out))


@flows.command()
@click.argument("name", metavar="FLOW")
@click.option("--format", "form", type=click.Choice(("ascii", "dot")), default="ascii", show_default=True)
@pass_invocation
def graph(invocation: Invocation, name: str, form: str) -> None:
    """Draw the tasks of a flow, each under those that it waits for."""
    from schedulerd.operations.drawing import ascii_graph, dot_graph

    out = invocation.output
    definition = invocation.operations.flows.get(name).flow.definition
    if not definition.tasks:
        out.say(
            f"{name} has no tasks that are known before it runs; `schedulerd runs show` has those of a run"
        )
        return
    draw = dot_graph if form == "dot" else ascii_graph
    shape = {
        "name": name,
        "tasks": list(definition.tasks),
        "edges": [list(edge) for edge in definition.edges],
    }
    out.one(shape, lambda: visible_lines(draw(definition.name, definition.tasks, definition.edges)))


@flows.command()
@click.argument("name", metavar="FLOW")
@click.option("--source", is_flag=True, help="Show its code.")
@pass_invocation
def versions(invocation: Invocation, name: str, source: bool) -> None:
    """Show the version of a flow that is in force, and those that its last runs had."""
    out = invocation.output
    found = invocation.operations.flows.versions(name)
    if source and found:
        out.line(invocation.operations.flows.source(found[0].hash).rstrip("\n"))
        return
    from schedulerd.operations.shapes import version_shape

    shapes = [version_shape(one) for one in found]
    columns = [
        Column(
            title="VERSION", cell=lambda one: Cell(one["version"] if out.is_wide else one["version"][:12])
        ),
        Column(title="IN FORCE", cell=lambda one: Cell("✓ in force" if one["in_force"] else "", "green")),
        Column(title="RUNS", cell=lambda one: Cell(str(one["runs"])), right=True),
        Column(title="LAST RUN", cell=lambda one: Cell(out.ago(one["last_run_at"]))),
    ]
    out.rows(shapes, columns, empty=f"{name} has no version yet", name="version")


@flows.command()
@click.argument("name", metavar="FLOW")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown with the schedules.")
@pass_invocation
def pause(invocation: Invocation, name: str, reason: str) -> None:
    """Pause all schedules of a flow that are not paused yet."""
    from schedulerd.cli.schedules import (
        show_schedules,
    )  # what fires when: only these two commands of flows show it

    paused = invocation.operations.schedules.pause_flow(
        name, actor=getpass.getuser(), reason=reason, by=account()
    )
    show_schedules(invocation, paused, empty="")


@flows.command()
@click.argument("name", metavar="FLOW")
@pass_invocation
def resume(invocation: Invocation, name: str) -> None:
    """Resume all schedules of a flow that are paused."""
    from schedulerd.cli.schedules import show_schedules

    show_schedules(invocation, invocation.operations.schedules.resume_flow(name, by=account()), empty="")


def visible_lines(text: str) -> str:
    """The text with what a terminal would obey made visible, its line ends kept."""
    return "\n".join(map(visible, text.splitlines()))


def _shape(found: "FlowDetails") -> Shape:
    from schedulerd.operations.shapes import flow_shape  # imports zones and more

    return flow_shape(found.flow, found.schedules.names)


def _columns(out: Output) -> list[Column]:
    return [
        Column(title="FLOW", cell=lambda flow: Cell(flow["name"])),
        Column(title="LAST RUN", cell=_last_state),
        Column(title="ENDED", cell=lambda flow: Cell(out.ago((flow["last_run"] or {}).get("ended_at")))),
        Column(title="TASKS", cell=lambda flow: Cell(str(len(flow["tasks"]) or "")), right=True),
        Column(
            title="SCHEDULES",
            cell=lambda flow: Cell(some(flow["schedules"], most=_MOST_IN_A_ROW)),
            flexible=True,
        ),
        Column(title="VERSION", cell=lambda flow: Cell((flow["version"] or "")[:12]), only_wide=True),
        Column(title="FILE", cell=lambda flow: Cell(flow["file"]), flexible=True),
        Column(title="ERROR", cell=lambda flow: Cell(_error(flow), "red"), flexible=True),
    ]


def _last_state(flow: Shape) -> Cell:
    last = flow["last_run"]
    return Cell("") if last is None else state_cell(last["state"])


def _error(flow: Shape) -> str:
    error = flow["error"]
    return (
        ""
        if error is None
        else f"line {error['line']}: {error['message']}"
        if error["line"]
        else error["message"]
    )


def _page(flow: Shape, out: Output) -> str:
    last = flow["last_run"]
    lines = facts(
        [
            ("description", flow["description"]),
            ("file", flow["file"]),
            ("entry point", flow["entrypoint"]),
            ("version", (flow["version"] or "")[:12]),
            ("tags", ", ".join(flow["tags"])),
            ("tasks", ", ".join(flow["tasks"])),
            ("schedules", some(flow["schedules"], most=_MOST_ON_A_PAGE)),
            *surroundings_facts(flow),
            (
                "last run",
                f"{flow['name']}#{last['number']} {last['state']} {out.ago(last['ended_at'])}"
                if last
                else "",
            ),
            ("error", _error(flow)),
        ]
    )
    return "\n".join([click.style(visible(flow["name"]), bold=True), *lines, *_parameters(flow)])


def _parameters(flow: Shape) -> list[str]:
    properties = flow["parameters"].get("properties", {})
    required = flow["parameters"].get("required", [])
    pairs = [(name, _parameter(schema, is_required=name in required)) for name, schema in properties.items()]
    return ["", "parameters", *facts(pairs)] if pairs else []


def _parameter(schema: Shape, *, is_required: bool) -> str:
    from schedulerd.domain.parameters import wanted

    default = "required" if is_required else f"default {json_text(schema.get('default'))}"
    return f"{wanted(schema)}, {default}"
