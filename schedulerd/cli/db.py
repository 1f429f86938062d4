"""`db`: the database: its schema, its health, a copy of it and the way back."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedulerd.cli import moments
from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.errors import CHECKS_FAILED, SUCCESS, UNREACHABLE
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import DURATION
from schedulerd.cli.output import Column, Shape
from schedulerd.cli.run_pages import facts
from schedulerd.cli.tables import Cell
from schedulerd.domain.durations import duration_text
from schedulerd.garbage import look_for_garbage_again

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
@click.option("--no-copy", is_flag=True, help="Make no copy of the database first.")
@pass_invocation
def upgrade(invocation: Invocation, no_copy: bool) -> None:
    """Bring the schema to what this version needs; a SQLite file is made where there is none.

    A database that has an older schema is copied first, beside itself (`schedulerd.db.before-0003`); the newest three
    such copies are kept. PostgreSQL is copied into the state directory by pg_dump; where that is not installed, or does
    not manage, no copy is made, which is said.
    """
    from schedulerd.operations.upgrading import Upgraded, upgrade  # imports SQLAlchemy

    database, settings = invocation.database, invocation.settings
    if no_copy:
        database.upgrade()
        done = Upgraded()
    else:
        done = upgrade(database, state_dir=settings.state_dir, environ=invocation.environ)
    shape: Shape = {
        **_shape(database.status()),
        "copy": None if done.copy is None else str(done.copy),
    }
    invocation.output.one(shape, lambda: _page(shape), name="url")
    if done.copy is not None:
        invocation.output.say(f"what it was is kept: {done.copy}")
    if done.uncopied:
        invocation.output.say(f"no copy was made: {done.uncopied}")


@db.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Look for damage, and for what should always be true and is not; exit code 8 when something is found."""
    found = invocation.database.check()
    shapes = [{"problem": words} for words in found]
    invocation.output.rows(
        shapes,
        [Column(title="PROBLEM", cell=lambda one: Cell(one["problem"], "red"))],
        empty="✓ the database is sound",
        name="problem",
    )
    click.get_current_context().exit(CHECKS_FAILED if found else SUCCESS)


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_invocation
def backup(invocation: Invocation, file: Path) -> None:
    """Copy the database to a new FILE, consistent, while the daemon runs.

    A SQLite database becomes a SQLite file; PostgreSQL's is written by pg_dump. Only its owner may read the copy.
    """
    invocation.database.back_up(file.absolute(), invocation.environ)
    shape: Shape = {"file": str(file.absolute()), "bytes": file.stat().st_size}
    invocation.output.one(shape, lambda: f"✓ {file}, {moments.size(shape['bytes'])}", name="file")


@db.command()
@click.option(
    "--older-than", type=DURATION, required=True, metavar="D", help="Runs that ended so long ago: 90d, 2w."
)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@pass_invocation
def prune(invocation: Invocation, older_than: timedelta, dry_run: bool) -> None:
    """Remove old runs with all that belongs to them, but never the newest of a flow (setting keep_per_flow).

    Needs --yes where nobody can be asked. The daemon does this by itself, by the settings under [retention].
    """
    from schedulerd.domain.retention import Retention
    from schedulerd.operations.pruning import prune as removed

    invocation.database.require_current()
    kept = invocation.settings.retention.keep_per_flow
    if not dry_run:
        invocation.confirm(f"Remove the runs that ended more than {duration_text(older_than)} ago?")
    look_for_garbage_again()  # there may be a million of them
    retention = Retention(runs=older_than, logs=older_than, keep_per_flow=kept)
    pages = removed(invocation.database, retention, now=invocation.now(), dry_run=dry_run)
    shape: Shape = {"runs": sum(page.runs for page in pages), "removed": not dry_run}
    invocation.output.one(shape, lambda: _pruned(shape, kept), name="runs")


def _pruned(shape: Shape, kept: int) -> str:
    verb = "removed" if shape["removed"] else "would be removed"
    return f"{shape['runs']:,} runs {verb}; the newest {kept:,} of each flow stay"


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only look whether the copy is sound.")
@pass_invocation
def restore(invocation: Invocation, file: Path, dry_run: bool) -> None:
    """Put a copy that `backup` made in the place of the database. The daemon must be stopped.

    Needs --yes where nobody can be asked. Of SQLite the old database is kept beside. Due times since the copy was made
    are missed times to the restored database.
    """
    from schedulerd.operations.restoring import restore as put_back

    if not dry_run:
        invocation.confirm(f"Replace the database {invocation.database.url} with {file}?")
    kept = put_back(
        invocation.database,
        file.absolute(),
        state_dir=invocation.settings.state_dir,
        environ=invocation.environ,
        dry_run=dry_run,
    )
    shape = {
        "file": str(file.absolute()),
        "restored": not dry_run,
        "kept": None if kept is None else str(kept),
    }
    invocation.output.one(shape, lambda: _restored(shape), name="file")


def _restored(shape: Shape) -> str:
    if not shape["restored"]:
        return f"✓ {shape['file']} is sound; nothing was changed"
    kept = f"; the one that was there is {shape['kept']}" if shape["kept"] else ""
    return f"✓ the database is that of {shape['file']}{kept}"


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
