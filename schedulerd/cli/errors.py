"""Which error ends the program with which exit code, and what it says. The one table of exit codes."""

import errno
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Final

import click

from schedulerd import errors
from schedulerd.cli.tables import visible

SUCCESS: Final = 0
UNEXPECTED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
NOT_PERMITTED: Final = 4
CONFLICT: Final = 5
UNREACHABLE: Final = 6
WAIT_ELAPSED: Final = 7
CHECKS_FAILED: Final = 8
RUN_FAILED: Final = 10
RUN_CANCELLED: Final = 11
RUN_CRASHED: Final = 12
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

MEANINGS: Final[Mapping[int, str]] = {
    SUCCESS: "success, an empty list too",
    UNEXPECTED: "the command failed unexpectedly",
    USAGE: "usage error: an unknown option, parameters that do not fit the flow",
    NOT_FOUND: "not found, or an ambiguous selector",
    NOT_PERMITTED: "not permitted",
    CONFLICT: "conflict: it exists, has ended, or runs already",
    UNREACHABLE: "the daemon or the database cannot be reached; of status: no runs are started",
    WAIT_ELAPSED: "the --timeout of a wait has elapsed (the run goes on)",
    CHECKS_FAILED: "checks failed: validate, explain of an invalid expression, an invalid settings or flow file",
    RUN_FAILED: "with --wait, wait: the run failed",
    RUN_CANCELLED: "with --wait, wait: the run was cancelled, or skipped",
    RUN_CRASHED: "with --wait, wait: the run crashed or timed out",
    INTERRUPTED: "Ctrl-C (a followed run goes on)",
    BROKEN_PIPE: "the reader of the output has gone",
}

# From the particular to the general: the first that fits counts.
CODES: Final[Mapping[type[BaseException], int]] = {
    errors.BadParameters: USAGE,
    errors.NotFound: NOT_FOUND,
    errors.Ambiguous: NOT_FOUND,
    errors.NotPermitted: NOT_PERMITTED,
    errors.Conflict: CONFLICT,
    errors.Unreachable: UNREACHABLE,
    errors.WaitTimeout: WAIT_ELAPSED,
    errors.BadDefinition: CHECKS_FAILED,
    errors.BadExpression: CHECKS_FAILED,
    errors.SchedulerdError: UNEXPECTED,
    click.UsageError: USAGE,
    click.ClickException: UNEXPECTED,
    click.Abort: INTERRUPTED,
    KeyboardInterrupt: INTERRUPTED,
    BrokenPipeError: BROKEN_PIPE,
    PermissionError: NOT_PERMITTED,
}

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def code_of(error: BaseException) -> int:
    """The exit code that an error ends the program with."""
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), UNEXPECTED)


def report(error: BaseException, *, verbose: bool) -> None:
    """Say what went wrong, why, and what to type next. A broken pipe and Ctrl-C need no words."""
    if isinstance(error, BrokenPipeError):
        _leave_stdout()
        return
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if not _can_flush():
        _leave_stdout()
    if isinstance(error, click.ClickException):
        error.show()
    else:
        click.echo(f"Error: {_words(error)}", err=True)


def _words(error: BaseException) -> str:
    match error:
        case errors.Ambiguous():
            listed = "".join(f"\n  {candidate}" for candidate in error.candidates)
            return visible(f"{error.name!r} names more than one {error.kind}:") + listed
        case errors.BadExpression():
            return f"{visible(error.message)}\n{_indented(error.caret())}"
        case errors.SchedulerdError():
            return visible(error.message) + "".join(
                f"\n  {visible(line)}" for line in error.mend.splitlines()
            )
        case PermissionError():
            return f"not permitted: {error.strerror}: {error.filename}"
        case OSError() if error.errno in _FULL:
            return f"cannot write {error.filename or 'the output'}: {error.strerror}"
        case _:
            return f"{type(error).__name__}: {error} (-v shows where)"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _can_flush() -> bool:
    """Does what was shown reach its place? On a full disk the interpreter's last flush would dump an error."""
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _leave_stdout() -> None:
    """Have the interpreter's last flush, for which nobody is left to read, go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
