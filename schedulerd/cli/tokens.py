"""`tokens`: create, list, revoke."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import DURATION
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell
from schedulerd.cli.users import ROLE
from schedulerd.domain.access import Role, Scope, scopes_of

if TYPE_CHECKING:
    from schedulerd.domain.api_tokens import ApiToken

_SCOPE: Final = click.Choice([scope.value for scope in Scope])

tokens = LazyGroup("tokens", help="Tokens: what programs show to the REST API to be let in.")


@tokens.command()
@click.argument("name", metavar="NAME")
@click.option("--scope", "scopes", multiple=True, type=_SCOPE, help="What it is for; may be repeated.")
@click.option("--role", type=ROLE, help="For all that this role may; without any scope, viewer.")
@click.option("--expires", type=DURATION, default="90d", show_default=True, help="How long it lasts.")
@pass_invocation
def create(
    invocation: Invocation, name: str, scopes: tuple[str, ...], role: str | None, expires: timedelta
) -> None:
    """Make a token, which is printed, this once; only its hash is kept. NAME tells it from others."""
    if scopes and role:
        raise click.UsageError("--role is for all that a role may: name it, or each --scope")
    wanted = frozenset(map(Scope, scopes)) or scopes_of(Role(role or Role.VIEWER))
    made = invocation.operations.api_tokens.create(name, by=account(), scopes=wanted, life=expires)
    invocation.output.say(f"it is shown this once, and lasts until {made.token.expires_at:%Y-%m-%d}:")
    shape = {**_shape(invocation, made.token), "token": made.text}
    invocation.output.one(shape, lambda: made.text, name="token")


@tokens.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the tokens, of everybody."""
    out = invocation.output
    shapes = [_shape(invocation, one) for one in invocation.operations.api_tokens.list()]
    columns = [
        Column(title="TOKEN", cell=lambda one: Cell(one["id"])),
        Column(title="NAME", cell=lambda one: Cell(one["name"])),
        Column(title="OWNER", cell=lambda one: Cell(one["owner"])),
        Column(title="SCOPES", cell=lambda one: Cell(", ".join(one["scopes"])), flexible=True),
        Column(title="USED", cell=lambda one: Cell(out.ago(one["used_at"]))),
        Column(title="EXPIRES", cell=lambda one: Cell(out.ago(one["expires_at"]))),
    ]
    out.rows(shapes, columns, empty="no tokens yet: `schedulerd tokens create NAME`", name="id")


@tokens.command()
@click.argument("keys", metavar="TOKEN...", nargs=-1, required=True)
@pass_invocation
def revoke(invocation: Invocation, keys: tuple[str, ...]) -> None:
    """Let tokens in no more. Each is named by its id, as `tokens list` shows it."""
    for key in keys:
        token = invocation.operations.api_tokens.revoke(key, by=account())
        invocation.output.say(f"{token.id} ({token.name}, of {token.owner}) is let in no more")


def _shape(invocation: Invocation, token: "ApiToken") -> Shape:
    from schedulerd.operations.access_shapes import token_shape  # imports zones and more

    return token_shape(token, now=invocation.now())
