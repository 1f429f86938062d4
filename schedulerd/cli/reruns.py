"""`runs result`, `runs retry`, `runs rerun`: what ended runs came to, and having them again."""

import getpass
import json
import sys
from pathlib import Path

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import json_text
from schedulerd.cli.run import pairs_of, tell_asked


@click.command(cls=Command)
@click.argument("selector", metavar="RUN", default="@last")
@click.option("--task", metavar="TASK", help="Of this task, by its name or number, and not of the flow.")
@click.option(
    "--save",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file, as it is kept.",
)
@pass_invocation
def result(invocation: Invocation, selector: str, task: str | None, file: Path | None) -> None:
    """Show what a run, or a task of it, returned."""
    value = invocation.operations.reruns.result(selector, task=task)
    if file is not None:
        file.write_bytes(value.content)
        invocation.output.say(f"{len(value.content):,} bytes of {value.kind} in {file}")
    elif value.is_json:
        invocation.output.line(
            json_text(json.loads(value.content), indent=2 if sys.stdout.isatty() else None)
        )
    else:
        raise click.UsageError(
            f"it is a pickle of {len(value.content):,} bytes, which only the flow's own code should read: "
            "--save FILE writes it"
        )


@click.command(cls=Command)
@click.argument("selectors", metavar="RUN...", nargs=-1, required=True)
@click.option("--from-failed", is_flag=True, help="Tasks that completed do not run again.")
@pass_invocation
def retry(invocation: Invocation, selectors: tuple[str, ...], from_failed: bool) -> None:
    """Try runs that ended badly again, each as its next attempt."""
    from schedulerd.cli.runs import show_runs

    asked = invocation.operations.reruns
    found = [asked.retry(one, from_failed=from_failed, actor=getpass.getuser()) for one in selectors]
    show_runs(invocation, found, empty="")
    if invocation.operations.daemon.pid() is None:
        invocation.output.say("no daemon runs: they are tried again when one is started")


@click.command(cls=Command)
@click.argument("selector", metavar="RUN")
@click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Another value; may be repeated."
)
@pass_invocation
def rerun(invocation: Invocation, selector: str, pairs: tuple[str, ...]) -> None:
    """Ask for a new run with the parameters of one that was, or with others."""
    from schedulerd.domain.parameters import value_of

    operations = invocation.operations
    flow = operations.flows.get(operations.runs.get(selector).flow).flow.definition
    schemas = flow.parameters.get("properties", {})
    changes = {name: value_of(schemas.get(name, {}), text) for name, text in pairs_of(pairs).items()}
    asked = operations.reruns.rerun(selector, changes)
    tell_asked(invocation, asked, asked.run)
