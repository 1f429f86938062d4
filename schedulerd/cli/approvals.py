"""`runs approve` (and `runs resume`): decides about runs that wait for approval."""

import getpass
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.run import document_of, pairs_of
from schedulerd.domain.states import FINAL, RunState
from schedulerd.errors import BadParameters

if TYPE_CHECKING:
    from schedulerd.domain.child_runs import AnyRun
    from schedulerd.domain.questions import AskedQuestion

_LOOK_SECONDS: Final = 0.05
_JUDGES_SECONDS: Final = 1.0  # from when it goes on; it takes some 50 ms
_LONGEST_SECONDS: Final = 5.0


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

    texts, document_given = pairs_of(pairs), document_of(document)
    approvals = invocation.operations.approvals
    asked = approvals.question(selector)
    given = {**document_given, **_typed(asked, texts)}
    run: AnyRun = approvals.decide(
        selector, approved=not reject, actor=getpass.getuser(), reason=reason, given=given or None
    )
    is_alone = invocation.operations.daemon.pid() is None
    if given and not reject and not is_alone:
        run = _taken(invocation, run, asked)
    show_runs(invocation, [run], empty="")
    if is_alone:
        invocation.output.say("no daemon runs: it is recorded, and the run is told when one is started")


def _typed(asked: "AskedQuestion", texts: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as the question asks for it."""
    from schedulerd.domain.parameters import value_of

    properties = (asked.question.body.get("schema") or {}).get("properties", {})
    return {name: value_of(properties.get(name, {}), text) for name, text in texts.items()}


def _taken(invocation: Invocation, run: "AnyRun", asked: "AskedQuestion") -> "AnyRun":
    """The run as it goes on with what it was given. It judges that, too, and has a second to: raises `BadParameters`."""
    pause, went_on = Event(), False
    until = invocation.clock.monotonic() + _LONGEST_SECONDS
    while run.state not in FINAL and invocation.clock.monotonic() < until:
        if misfit := invocation.operations.approvals.misfit(asked):
            raise BadParameters(
                f"{run.selector}: what was given does not fit: {misfit}",
                mend=f"it waits on: say `schedulerd runs approve {run.selector}` again, with what fits",
            )
        run = invocation.operations.runs.look(run)
        if run.state is RunState.RUNNING and not went_on:
            went_on, until = True, invocation.clock.monotonic() + _JUDGES_SECONDS
        pause.wait(_LOOK_SECONDS)
    return run
