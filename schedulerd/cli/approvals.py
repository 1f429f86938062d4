"""`runs approve` (and `runs resume`): decides about runs that wait for approval."""

import getpass

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.run import document_of, pairs_of


@click.command(cls=Command)
@click.argument("selector", metavar="RUN")
@click.option("--reject", is_flag=True, help="Do not let it go on: it fails, unless its code says otherwise.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the run.")
@click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="What it asks to be told."
)
@click.option("--params", "document", metavar="JSON|@FILE|-", help="The same as a JSON object.")
@pass_invocation
def approve(
    invocation: Invocation,
    selector: str,
    reject: bool,
    reason: str,
    pairs: tuple[str, ...],
    document: str | None,
) -> None:
    """Decide about a run that waits for approval: let it go on, or with --reject not."""
    from schedulerd.cli.runs import show_runs
    from schedulerd.domain.parameters import value_of

    typed = {name: value_of({}, text) for name, text in pairs_of(pairs).items()}
    given = {**document_of(document), **typed}
    run = invocation.operations.approvals.decide(
        selector, approved=not reject, actor=getpass.getuser(), reason=reason, given=given or None
    )
    show_runs(invocation, [run], empty="")
    if invocation.operations.daemon.pid() is None:
        invocation.output.say("no daemon runs: it is recorded, and the run is told when one is started")
