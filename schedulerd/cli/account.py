"""Who runs the program, as histories and the audit tell it: whoever may write the database is not asked for more."""

import getpass
import sys

import click

from schedulerd.domain.access import Means, Principal, Role


def account() -> Principal:
    """The account of this machine that runs the command."""
    return Principal(name=getpass.getuser(), role=Role.ADMIN, means=Means.ACCOUNT)


def typed_password(name: str) -> str:
    """A new password, asked for twice, or the first line of stdin where that is no terminal; never an argument."""
    if sys.stdin.isatty():
        typed: str = click.prompt(f"password of {name}", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    try:
        return sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise click.UsageError("the password is no text in UTF-8") from error
