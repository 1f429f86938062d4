"""`users`: list, add, role, password, disable, enable, remove. A password comes from a prompt or from stdin."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.account import account, typed_password
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.tables import Cell
from schedulerd.domain.access import Role

if TYPE_CHECKING:
    from schedulerd.domain.users import User

ROLE: Final = click.Choice([role.value for role in Role])

users = LazyGroup("users", help="Users: people who sign in to the web interface by a password.")


@users.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List the users."""
    out = invocation.output
    shapes = [_shape(one) for one in invocation.operations.users.list()]
    columns = [
        Column(title="USER", cell=lambda one: Cell(one["name"])),
        Column(title="ROLE", cell=lambda one: Cell(one["role"])),
        Column(title="SINCE", cell=lambda one: Cell(out.ago(one["created_at"]))),
        Column(title="DISABLED", cell=lambda one: Cell(out.ago(one["disabled_at"]))),
    ]
    out.rows(
        shapes,
        columns,
        empty="no users yet: `schedulerd users add NAME`, or `schedulerd open` to sign in without",
    )


@users.command()
@click.argument("name", metavar="NAME")
@click.option("--role", type=ROLE, default=Role.VIEWER.value, show_default=True, help="What the user may do.")
@pass_invocation
def add(invocation: Invocation, name: str, role: str) -> None:
    """Add a user. The password is asked for, or is the first line of stdin where that is no terminal.

    It is never given as an argument: those are seen by all users of the machine.
    """
    asked = invocation.operations.users
    user = asked.add(name, Role(role), typed_password(name), by=account())
    _show(invocation, user, lambda: f"{user.name} is {_with_article(user.role)}")


@users.command()
@click.argument("name", metavar="NAME")
@click.argument("role", type=ROLE)
@pass_invocation
def role(invocation: Invocation, name: str, role: str) -> None:
    """Give a user another role: viewer, operator or admin. The user has to sign in anew."""
    user = invocation.operations.users.set_role(name, Role(role), by=account())
    _show(invocation, user, lambda: f"{user.name} is {_with_article(user.role)}")


@users.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def password(invocation: Invocation, name: str) -> None:
    """Give a user another password, from a prompt or from stdin. The user has to sign in anew, everywhere."""
    asked = invocation.operations.users
    known = asked.get(name)
    user = asked.set_password(known.name, typed_password(known.name), by=account())
    _show(invocation, user, lambda: f"{user.name} has another password")


@users.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def disable(invocation: Invocation, name: str) -> None:
    """Let a user in no more, nor any token of the user."""
    user = invocation.operations.users.disable(name, by=account())
    _show(invocation, user, lambda: f"{user.name} is let in no more")


@users.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def enable(invocation: Invocation, name: str) -> None:
    """Let a user in again who was disabled."""
    user = invocation.operations.users.enable(name, by=account())
    _show(invocation, user, lambda: f"{user.name} is let in")


@users.command()
@click.argument("name", metavar="NAME")
@pass_invocation
def remove(invocation: Invocation, name: str) -> None:
    """Remove a user with all sessions and tokens. Needs --yes where nobody can be asked."""
    asked = invocation.operations.users
    known = asked.get(name)
    invocation.confirm(f"Remove the user {known.name}, with all sessions and tokens?")
    user = asked.remove(known.name, by=account())
    _show(invocation, user, lambda: f"{user.name} is no user any more")


def _show(invocation: Invocation, user: "User", text: Callable[[], str]) -> None:
    invocation.output.one(_shape(user), text)


def _with_article(role: Role) -> str:
    return f"a {role}" if role is Role.VIEWER else f"an {role}"


def _shape(user: "User") -> Shape:
    from schedulerd.operations.access_shapes import user_shape  # imports zones and more

    return user_shape(user)
