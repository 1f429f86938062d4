"""`run --local`: a flow here and now, in this process, with its log on stderr. No daemon, no database, no history."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from schedulerd.authoring.console import ConsoleRecorder
from schedulerd.authoring.describing import describe
from schedulerd.authoring.execution import Outcome, execute
from schedulerd.authoring.failures import describe_failure
from schedulerd.cli import errors
from schedulerd.cli.invocation import Invocation
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.domain.parameters import check_parameters, value_of
from schedulerd.engine.flow_files import load_flow
from schedulerd.errors import BadDefinition, NotFound, SchedulerdError
from schedulerd.garbage import look_for_garbage_again
from schedulerd.operations.broken_files import reason_of, where_it_may_be
from schedulerd.operations.inspecting import inspect_file

if TYPE_CHECKING:
    from schedulerd.authoring.flows import AnyFlow

_CODES: Final = {"completed": errors.SUCCESS, "cancelled": errors.RUN_CANCELLED}


def run_here(
    invocation: Invocation, target: str, *, texts: Mapping[str, str], given: Mapping[str, Any]
) -> int:
    """Run the flow that is meant; the exit code that tells how it ended."""
    look_for_garbage_again()  # there may be much in what is somebody else's
    file, name = _place(invocation, target)
    flow = _loaded(invocation, file, name)
    schema = describe(flow)["parameters"]
    known = schema.get("properties", {})
    parameters = {**given, **{key: value_of(known.get(key, {}), text) for key, text in texts.items()}}
    check_parameters(flow.name, schema, parameters)
    outcome = execute(flow, parameters, ConsoleRecorder())
    _tell(invocation, flow.name, outcome)
    return _CODES.get(outcome.state, errors.RUN_FAILED)


def _loaded(invocation: Invocation, file: Path, name: str | None) -> "AnyFlow":
    """The flow; what the file raises is shown with its own lines, and named with the place."""
    try:
        return load_flow(file, name)
    except (Exception, SystemExit) as error:  # border: around somebody's module
        failure = describe_failure(error)
        if failure.file is None and isinstance(error, SchedulerdError | OSError):
            raise  # what was asked for is not there, or cannot be read
        if failure.traceback:
            invocation.output.say(failure.traceback.rstrip())
        raise BadDefinition(reason_of(failure), file=failure.file or file, line=failure.line) from error


def _place(invocation: Invocation, target: str) -> tuple[Path, str | None]:
    """The file that is meant, and the flow in it where one is named."""
    file, _, name = target.partition(":")
    if file.endswith(".py"):
        path = Path(os.path.abspath(file))
        if not path.is_file():
            raise NotFound("file", file)
        return path, name or None
    settings, broken = invocation.settings, []
    for folder in settings.flows:
        for path in sorted(folder.glob("[!_.]*.py")):
            found = inspect_file(
                path, roots=[folder], timeout=settings.inspect_timeout, timezone=settings.timezone
            )
            if isinstance(found, FileDefinition) and target in [flow.name for flow in found.flows]:
                return path, target
            if isinstance(found, Failure):
                broken.append((str(path), found))
    folders = ", ".join(map(str, settings.flows))
    mend = f"no file in {folders} defines it; a file is named with its .py"
    raise NotFound("flow", target, mend=where_it_may_be(broken) or mend)


def _tell(invocation: Invocation, flow: str, outcome: Outcome) -> None:
    color = "green" if outcome.state == "completed" else "red"
    said = f"{flow} {outcome.state}" + (f": {outcome.message}" if outcome.message else "")
    if outcome.failure is not None and outcome.failure.task is None and outcome.failure.traceback:
        invocation.output.say(outcome.failure.traceback.rstrip())
    invocation.output.say(click.style(said, fg=color))
