"""`start`, `stop`, `reload`: the daemon itself."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.cli.kinds import DURATION

if TYPE_CHECKING:
    from schedulerd.config import Settings
    from schedulerd.engine.lock import StopOrder

_TO_END: Final = timedelta(seconds=15)


@click.command(cls=Command)
@click.option("--detach", is_flag=True, help="Go to the background, with a pid file in the state directory.")
@click.option("--host", help="Listen on this address, whatever the settings say.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Listen on this port; 0: any that is free.")
@click.option("--no-web", is_flag=True, help="Without the web interface and the API.")
@click.option(
    "--no-scheduler",
    is_flag=True,
    help="The web interface and the API only, over the database of a daemon that runs apart.",
)
@pass_invocation
def start(
    invocation: Invocation, detach: bool, host: str | None, port: int | None, no_web: bool, no_scheduler: bool
) -> None:
    """Run the daemon in the foreground; Ctrl-C stops it."""
    if no_scheduler and (no_web or detach):
        raise click.UsageError(
            "--no-scheduler is the web interface alone, in the foreground: leave --no-web and --detach out"
        )
    web: dict[str, Any] = {"host": host, "port": port, "enabled": False if no_web else None}
    settings = _with_web(
        invocation.settings, {name: value for name, value in web.items() if value is not None}
    )
    if no_scheduler:
        from schedulerd.daemon.apart import serve_apart  # the web process and what keeps it alive

        click.get_current_context().exit(serve_apart(settings, verbose=invocation.verbose))
    from schedulerd.daemon.main import run_daemon  # the whole daemon

    click.get_current_context().exit(run_daemon(settings, detach=detach, verbose=invocation.verbose))


@click.command(cls=Command)
@click.option("--drain", type=DURATION, metavar="DURATION", help="Wait so long for the runs that go on.")
@click.option("--now", "cancels", is_flag=True, help="Cancel the runs that go on.")
@pass_invocation
def stop(invocation: Invocation, drain: timedelta | None, cancels: bool) -> None:
    """Stop the daemon; without an option as `on_stop` of the settings says."""
    if drain is not None and cancels:
        raise click.UsageError("--drain waits for runs and --now cancels them: choose one")
    settings = invocation.settings
    waits = drain if drain is not None else settings.drain_timeout
    order, patience = _order(drain, cancels), _TO_END + settings.grace + waits
    pid = invocation.operations_before_upgrade.daemon.stop(order, patience=patience)
    if pid is None:
        invocation.output.say(f"no schedulerd runs on {settings.state_dir}: nothing to stop")
    else:
        invocation.output.say(f"stopped schedulerd (process {pid})")


@click.command(cls=Command)
@pass_invocation
def reload(invocation: Invocation) -> None:
    """Have the daemon read its files again: flows and schedules."""
    pid = invocation.operations_before_upgrade.daemon.reload(patience=_TO_END)
    invocation.output.say(f"schedulerd (process {pid}) has read its files again")


def _order(drain: timedelta | None, cancels: bool) -> "StopOrder | None":
    from schedulerd.engine.lock import StopOrder  # `--help` does not need it

    if cancels:
        return StopOrder(how="cancel")
    return None if drain is None else StopOrder(how="drain", patience=drain.total_seconds())


def _with_web(settings: "Settings", changes: dict[str, Any]) -> "Settings":
    return replace(settings, web=replace(settings.web, **changes))
