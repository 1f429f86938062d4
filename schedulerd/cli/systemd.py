"""`systemd install`, `systemd uninstall`: schedulerd as a service."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.output import Output, Shape

if TYPE_CHECKING:
    from schedulerd.operations.steps import Step
    from schedulerd.operations.systemd import Place

systemd = LazyGroup("systemd", help="schedulerd as a service of systemd.")

_USER = click.option("--user", "own", is_flag=True, help="A service of your own, without root.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Print what would be done, and change nothing.")


@systemd.command("install")
@_USER
@_DRY_RUN
@pass_invocation
def install(invocation: Invocation, own: bool, dry_run: bool) -> None:
    """Write the unit and settings, make the account and folders, and enable the service.

    Settings that are there are never overwritten. It may be repeated, after an upgrade say.
    """
    from schedulerd.operations import systemd as asked  # only this command needs it

    place = _place(invocation, own, changes=not dry_run)
    program = asked.this_program(Path(sys.executable))
    if place.is_system:
        asked.require_reach(program)
    plan = asked.installation(place, program.words, asked.found(place), shipped=asked.shipped_unit())
    _follow(plan, invocation.output, dry_run=dry_run)
    if not dry_run:
        start = " ".join((*place.systemctl, "start", "schedulerd"))
        invocation.output.say(f"put flows into {place.config / 'flows'}, then: {start}")


@systemd.command("uninstall")
@_USER
@_DRY_RUN
@pass_invocation
def uninstall(invocation: Invocation, own: bool, dry_run: bool) -> None:
    """Stop and disable the service, and remove its unit.

    Settings, flows and the database stay, and what would remove them is told.
    """
    from schedulerd.operations import systemd as asked  # only this command needs it

    place = _place(invocation, own, changes=not dry_run)
    _follow(asked.removal(place, asked.found(place)), invocation.output, dry_run=dry_run)


def _place(invocation: Invocation, own: bool, *, changes: bool) -> "Place":
    from schedulerd.operations.systemd import SYSTEM, own_place, require_root  # only these commands need it

    if own:
        return own_place(invocation.environ)
    if changes:
        require_root(os.geteuid(), command=click.get_current_context().command_path)
    return SYSTEM


def _follow(plan: "list[Step]", out: Output, *, dry_run: bool) -> None:
    """Carry the plan out step by step, saying each; or show it whole, with what would be written."""
    from schedulerd.operations.steps import carry_out, describe

    if dry_run:
        _show(plan, out)
        return
    for step in plan:
        carry_out(step)
        out.say(describe(step))


def _show(plan: "list[Step]", out: Output) -> None:
    from schedulerd.operations.steps import describe

    if not out.is_for_people:
        out.rows([_shape(step) for step in plan], [], empty="there is nothing to do", name="step")
        return
    for step in plan:
        out.line(describe(step))
        for line in _text(step).splitlines():
            out.line(f"       | {line}".rstrip())


def _shape(step: "Step") -> Shape:
    from schedulerd.operations.steps import describe

    return {"step": " ".join(describe(step).split()), "text": _text(step) or None}


def _text(step: "Step") -> str:
    """What the step would write."""
    from schedulerd.operations.steps import WriteFile

    return step.text if isinstance(step, WriteFile) else ""
