"""`db`: the database's schema."""

from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.errors import SUCCESS, UNREACHABLE
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Shape
from schedulerd.cli.run_pages import facts

if TYPE_CHECKING:
    from schedulerd.store.schema import SchemaStatus

db = LazyGroup("db", help="The database.")


@db.command()
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show which database is used and whether its schema is current; exit code 6 when it is not."""
    found = invocation.database.status()
    shape = _shape(found)
    invocation.output.one(shape, lambda: _page(shape), name="url")
    click.get_current_context().exit(SUCCESS if found.is_current else UNREACHABLE)


@db.command()
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Bring the schema to what this version needs; a SQLite file is made where there is none."""
    invocation.database.upgrade()
    shape = _shape(invocation.database.status())
    invocation.output.one(shape, lambda: _page(shape), name="url")


def _shape(status: "SchemaStatus") -> Shape:
    return {
        "url": status.url,
        "dialect": status.dialect,
        "server_version": status.server_version,
        "revision": status.revision,
        "head": status.head,
        "is_current": status.is_current,
    }


def _page(status: Shape) -> str:
    good = status["is_current"]
    title = "✓ the schema is current" if good else "✕ the schema is not what this version needs"
    mend = [] if good else ["  `schedulerd db upgrade` brings it up to date"]
    lines = facts(
        [
            ("database", status["url"]),
            ("kind", f"{status['dialect']} {status['server_version']}"),
            ("schema", status["revision"] or "none"),
            ("needed", status["head"]),
        ]
    )
    return "\n".join([click.style(title, fg="green" if good else "red"), *lines, *mend])
