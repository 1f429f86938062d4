"""`validate`: are the files that people write good?"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.errors import CHECKS_FAILED, SUCCESS
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Output, Shape
from schedulerd.cli.tables import some, visible

if TYPE_CHECKING:
    from schedulerd.cli.checking import Finding

_MOST_HELD = 10  # names of what is in a file


@click.command(cls=Command)
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, resolve_path=True, path_type=Path)
)
@pass_invocation
def validate(invocation: Invocation, paths: tuple[Path, ...]) -> None:
    """Check flow files, schedule files and settings, at each PATH or all that the settings name.

    A PATH that is a folder stands for the files directly in it, and for the folders below it that the settings name; that
    nothing in it can be checked is a finding too, and so is a webhook whose secret the database has not got, or that is too short.
    What is wrong is printed as file:line: message, and ends with exit code 8.
    """
    found = _shown(invocation, _check(invocation, paths))
    is_good = all(one.is_good for one in found)
    click.get_current_context().exit(SUCCESS if is_good else CHECKS_FAILED)


def _check(invocation: Invocation, paths: tuple[Path, ...]) -> "Iterator[Finding]":
    from schedulerd.cli.checking import Checker  # imports what reads and runs the files
    from schedulerd.cli.checking_webhooks import shut_webhooks

    checker = Checker(settings=invocation.settings)
    if paths:
        for path in paths:
            yield from checker.path(path, invocation.environ)
    else:
        yield from checker.everything(invocation.settings_file)
    yield from shut_webhooks(invocation, checker.webhooks())


def _shown(invocation: Invocation, coming: "Iterable[Finding]") -> "list[Finding]":
    """All of them; people see each when it comes."""
    out, found = invocation.output, []
    for one in coming:
        found.append(one)
        if out.is_for_people:
            _show(out, one)
    if out.is_for_people:
        _sum_up(out, found)
    else:
        out.rows([_shape(one) for one in found], [], empty="there is nothing to check", name="file")
    return found


def _show(out: Output, one: "Finding") -> None:
    if one.is_good:
        holds = some(one.holds, most=_MOST_HELD) or "nothing"
        out.say(click.style("✓ ", fg="green") + visible(f"{_short(one.file)}: {holds}"))
        return
    first, *more = one.message.splitlines()
    out.line(visible(f"{_place(one)}: {first}"))
    for line in more:
        out.line(f"  {visible(line)}")
    if one.mend:
        out.say(visible(f"  {one.mend}"))


def _sum_up(out: Output, found: "Sequence[Finding]") -> None:
    bad = sum(not one.is_good for one in found)
    if bad:
        out.say(f"{bad} finding{'' if bad == 1 else 's'}")
    else:
        out.say("all is well" if found else "there is nothing to check")


def _shape(finding: "Finding") -> Shape:
    return {
        "file": finding.file,
        "line": finding.line,
        "ok": finding.is_good,
        "message": finding.message,
        "holds": list(finding.holds),
    }


def _place(finding: "Finding") -> str:
    return f"{_short(finding.file)}:{finding.line}" if finding.line else _short(finding.file)


def _short(file: str) -> str:
    """The path from here, where it is below."""
    relative = os.path.relpath(file) if os.path.isabs(file) else file
    return file if relative.startswith("..") else relative
