"""`variables`: list, get, set, unset."""

import json
from typing import TYPE_CHECKING, Any

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape, json_text
from schedulerd.cli.tables import Cell

if TYPE_CHECKING:
    from schedulerd.domain.variables import Variable

variables = LazyGroup("variables", help="Variables: values that flows share. What is secret is no variable.")


@variables.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the variables."""
    out = invocation.output
    shapes = [_shape(one) for one in invocation.operations.variables.list()]
    columns = [
        Column(title="VARIABLE", cell=lambda one: Cell(one["name"])),
        Column(title="VALUE", cell=lambda one: Cell(json_text(one["value"])), flexible=True),
        Column(title="CHANGED", cell=lambda one: Cell(out.ago(one["changed_at"]))),
        Column(title="TAGS", cell=lambda one: Cell(", ".join(one["tags"])), only_wide=True),
    ]
    out.rows(shapes, columns, empty="no variables yet: `schedulerd variables set NAME VALUE`")


@variables.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def get(invocation: Invocation, name: str) -> None:
    """Show the value of a variable: text as it is, anything else as JSON."""
    shape = _shape(invocation.operations.variables.get(name))
    value = shape["value"]
    invocation.output.one(shape, lambda: value if isinstance(value, str) else json_text(value))


@variables.command("set")
@click.argument("name", metavar="NAME")
@click.argument("text", metavar="VALUE")
@click.option("--text", "as_text", is_flag=True, help="Take VALUE as text, whatever it looks like.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; may be repeated.")
@pass_invocation
def set_(invocation: Invocation, name: str, text: str, as_text: bool, tags: tuple[str, ...]) -> None:
    """Set a variable, new or not. A VALUE that is JSON is what it says (5, true, {"a": 1}); else it is text."""
    value = text if as_text else _read(text)
    shape = _shape(invocation.operations.variables.set(name, value, tags=tags, by=account()))
    invocation.output.one(shape, lambda: f"{name} = {json_text(shape['value'])}")


@variables.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def unset(invocation: Invocation, name: str) -> None:
    """Remove a variable."""
    invocation.operations.variables.unset(name, by=account())
    invocation.output.say(f"{name} is set no more")


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shape(variable: "Variable") -> Shape:
    from schedulerd.operations.setting_shapes import variable_shape  # imports zones and more

    return variable_shape(variable)
