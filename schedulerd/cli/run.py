"""`run`: asks for a run of a flow, or runs it here and now."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from schedulerd.cli import moments
from schedulerd.cli.commands import Command
from schedulerd.cli.following import end_code, end_words, follow_log, wait_for_ends
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import COMING, DURATION, PRIORITY
from schedulerd.errors import NotFound

if TYPE_CHECKING:
    from schedulerd.domain.child_runs import AnyRun
    from schedulerd.domain.flows import Flow
    from schedulerd.domain.runs import Run
    from schedulerd.operations.runs import Asked

_LONG_PAST: Final = timedelta(seconds=5)  # `--at now` is past as well when the run is recorded


@click.command(cls=Command)
@click.argument("target", metavar="FLOW|FILE[:FLOW]")
@click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."
)
@click.option("--params", "document", metavar="JSON|@FILE|-", help="Parameters as a JSON object.")
@click.option("--at", "due_at", type=COMING, help="Run it then: 15m, 2026-12-01T09:00.")
@click.option("--priority", type=PRIORITY, help="In place of the flow's: what has a higher one starts first.")
@click.option("--wait", "waits", is_flag=True, help="Wait until it has ended; the exit code tells how.")
@click.option("-f", "--follow", is_flag=True, help="Show its log as it comes, and wait.")
@click.option("--timeout", type=DURATION, help="Wait no longer than that; the run goes on.")
@click.option("--idempotency-key", metavar="KEY", help="The same key twice makes one run.")
@click.option("--local", is_flag=True, help="Run it here and now: no daemon, no database, no history.")
@pass_invocation
def run(
    invocation: Invocation,
    target: str,
    pairs: tuple[str, ...],
    document: str | None,
    due_at: datetime | None,
    priority: int | None,
    waits: bool,
    follow: bool,
    timeout: timedelta | None,
    idempotency_key: str | None,
    local: bool,
) -> None:
    """Ask for a run of a flow: FLOW, or the one that FILE defines."""
    texts, given = pairs_of(pairs), document_of(document)
    if local:
        from schedulerd.cli.local import run_here  # imports what runs flows

        click.get_current_context().exit(run_here(invocation, target, texts=texts, given=given))
    wanted = {"due_at": due_at, "idempotency_key": idempotency_key, "priority": priority}
    asked = _ask(invocation, target, texts, given, **wanted)
    if not (waits or follow):
        tell_asked(invocation, asked, asked.run)
        return
    if invocation.output.is_for_people:
        tell_asked(invocation, asked, asked.run, as_talk=follow)
    ended, code = _follow(invocation, asked.run, timeout) if follow else _wait(invocation, asked.run, timeout)
    _tell_end(invocation, ended, as_talk=follow)
    click.get_current_context().exit(code)


def _ask(
    invocation: Invocation,
    target: str,
    texts: Mapping[str, str],
    given: Mapping[str, Any],
    **wanted: Any,
) -> "Asked":
    from schedulerd.domain.parameters import value_of

    asked = invocation.operations
    found = asked.flows.get(_flow_name(invocation, target)).flow
    _tell_version(invocation, found)  # before parameters are refused that only the new one has
    flow = found.definition
    schemas = flow.parameters.get("properties", {})
    typed = {name: value_of(schemas.get(name, {}), text) for name, text in texts.items()}
    return asked.runs.start(flow.name, {**given, **typed}, **wanted)


def _tell_version(invocation: Invocation, flow: "Flow") -> None:
    """Say which version runs, where that is not what the flow's file holds now."""
    if flow.error is None or flow.version_hash is None:
        return
    from schedulerd.operations.broken_files import why_not_loaded
    from schedulerd.operations.shapes import time_text

    out = invocation.output
    version = f"{flow.version_hash[:12]}, in force since {out.at(time_text(flow.changed_at))}"
    why = why_not_loaded(flow.definition.file, flow.error)
    out.say(f"its file has an error, and the last good version runs ({version}): {why}")


def _flow_name(invocation: Invocation, target: str) -> str:
    """The flow that is meant; what looks like a path is one."""
    file, _, name = target.partition(":")
    if file.endswith(".py"):
        return invocation.operations.flows.of_file(Path(os.path.abspath(file)), name or None)
    try:
        return invocation.operations.flows.get(target).flow.definition.name
    except NotFound as error:
        from schedulerd.cli.runs import runs

        if target in runs.list_commands(click.get_current_context()):
            raise NotFound("flow", target, mend=f"did you mean `schedulerd runs {target}`?") from error
        mend = error.mend or "`schedulerd flows list` shows them"
        raise NotFound("flow", target, near=error.near, mend=mend) from error


def pairs_of(pairs: tuple[str, ...]) -> dict[str, str]:
    texts = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE", param_hint="'-p'")
        texts[name] = value
    return texts


def document_of(document: str | None) -> dict[str, Any]:
    """The parameters of `--params`: an object as JSON, in a file or on stdin."""
    if document is None:
        return {}
    try:
        if document == "-":
            text = sys.stdin.read()
        else:
            text = Path(document[1:]).read_text("utf-8") if document.startswith("@") else document
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{error}", param_hint="'--params'") from error
    if not isinstance(given, dict):
        raise click.BadParameter("it must be a JSON object, such as '{\"rows\": 5}'", param_hint="'--params'")
    return given


def tell_asked(invocation: Invocation, asked: "Asked", run: "Run", *, as_talk: bool = False) -> None:
    from schedulerd.operations.shapes import run_shape

    out = invocation.output
    shape = run_shape(run, now=out.now)
    is_later = run.due_at > out.now
    said = f"{run.selector} recorded" + (f", due {out.at_and_ago(shape['due_at'])}" if is_later else "")
    said = said if asked.is_new else f"{run.selector} was recorded already with this key: {run.state}"
    if as_talk:
        out.say(said)
    else:
        out.one(shape, lambda: f"{said}  {run.id}", name="id")
    if asked.is_new and run.created_at - run.due_at > _LONG_PAST:
        out.say(f"{out.at(shape['due_at'])} is past ({out.relative(shape['due_at'])}): it runs at once")
    if not asked.daemon_answers:
        out.say("no daemon answers: the run waits in the database until `schedulerd start`")
    elif held_by := invocation.operations.daemon.held_by():
        out.say(f"the run waits: no runs are started now, because {held_by}")


def _follow(invocation: Invocation, run: "Run", timeout: timedelta | None) -> "tuple[AnyRun, int]":
    from schedulerd.cli.logs import shower
    from schedulerd.operations.runs import LineFilter

    out = invocation.output
    page = invocation.operations.runs.lines_after(run, LineFilter())
    ended = follow_log(invocation, page, LineFilter(), shower(out, streams=True), timeout=timeout)
    return ended, end_code(ended.state)


def _wait(invocation: Invocation, run: "Run", timeout: timedelta | None) -> "tuple[AnyRun, int]":
    (ended,), code = wait_for_ends(invocation, [run], timeout=timeout)
    return ended, code


def _tell_end(invocation: Invocation, ended: "AnyRun", *, as_talk: bool) -> None:
    from schedulerd.cli.runs import why
    from schedulerd.operations.shapes import run_shape

    out = invocation.output
    shape = run_shape(ended, now=out.now)
    words = end_words(ended, moments.duration(shape["duration_ms"]))
    text = f"{words}  {why(shape)}" if why(shape) else words
    if as_talk:
        out.say(text)
    else:
        out.one(shape, lambda: text, name="id")
