"""`secrets`: list, set, unset. A value comes from a prompt, from stdin or from a file, and is shown nowhere."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell
from schedulerd.domain.redaction import SHORTEST

if TYPE_CHECKING:
    from schedulerd.domain.secrets import SealedSecret

secrets = LazyGroup("secrets", help="Secrets: values that flows are given, and that nobody is shown.")


@secrets.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the names of the secrets."""
    out = invocation.output
    shapes = [_shape(one) for one in invocation.operations.secrets.list()]
    columns = [
        Column(title="SECRET", cell=lambda one: Cell(one["name"])),
        Column(title="CHANGED", cell=lambda one: Cell(out.ago(one["changed_at"]))),
    ]
    out.rows(shapes, columns, empty="no secrets yet: `schedulerd secrets set NAME`")


@secrets.command("set")
@click.argument("name", metavar="NAME")
@click.option("--from-file", "file", metavar="FILE|-", help="Read the value from a file, or - for stdin.")
@click.option("--json", "is_json", is_flag=True, help="The value is JSON, a list or an object for example.")
@pass_invocation
def set_(invocation: Invocation, name: str, file: str | None, is_json: bool) -> None:
    """Set a secret, new or not. Its value is asked for, or read from stdin where that is no terminal.

    It is never given as an argument: those are seen by all users of the machine. One newline at its end is left out.
    """
    text = _value(name, file)
    value = _parsed(text) if is_json else text
    shape = _shape(invocation.operations.secrets.set(name, value, by=account()))
    if isinstance(value, str) and len(value) < SHORTEST:
        invocation.output.say(f"a value of fewer than {SHORTEST} characters is not kept out of logs")
    invocation.output.one(shape, lambda: f"{name} is set")


@secrets.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def unset(invocation: Invocation, name: str) -> None:
    """Remove a secret."""
    invocation.operations.secrets.unset(name, by=account())
    invocation.output.say(f"{name} is set no more")


def _value(name: str, file: str | None) -> str:
    if file is None and sys.stdin.isatty():
        typed: str = click.prompt(f"value of {name}", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    data = Path(file).read_bytes() if file not in (None, "-") else sys.stdin.buffer.read()
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise click.UsageError("the value is no text in UTF-8: encode it first, with base64 say") from error
    if not text:
        raise click.UsageError("the value is empty")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"the value is not JSON: {error}") from error


def _shape(secret: "SealedSecret") -> Shape:
    from schedulerd.operations.setting_shapes import secret_shape  # imports zones and more

    return secret_shape(secret)
