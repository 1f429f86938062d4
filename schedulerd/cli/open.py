"""`open`: a link by which whoever runs it comes in."""

import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from schedulerd.cli.account import account
from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.domain.access import Role
from schedulerd.errors import Unreachable

if TYPE_CHECKING:
    from schedulerd.operations.daemon import DaemonStatus

_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY")
_PAGE: Final = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={link}">\n'


@click.command("open", cls=Command)
@pass_invocation
def open_(invocation: Invocation) -> None:
    """Print a link to the web interface, by which you are signed in: once, within ten minutes, as an admin.

    A browser is opened with it, where this is a terminal on a screen. Whoever may write the database needs no password.
    """
    from schedulerd.operations.links import sign_in_link

    asked, you = invocation.operations, account()
    address = _address(asked.daemon.status())
    link = sign_in_link(address, asked.sign_in.make_code(you.name, Role.ADMIN, by=you))
    invocation.output.line(link)
    if sys.stdout.isatty() and any(invocation.environ.get(name) for name in _SCREENS):
        _show(link, invocation.environ)


def _address(status: "DaemonStatus") -> str:
    """Where the web interface is. Raises `Unreachable` where there is none, or nobody knows."""
    if status.pid is None:
        raise Unreachable(
            f"no schedulerd runs on {status.state_dir}", mend="start it with `schedulerd start`"
        )
    agents = () if status.recorded is None else status.recorded.agents
    host = socket.gethostname()  # another machine's, on the same database, may have the same pid
    its = next((one for one in agents if (one.host, one.pid) == (host, status.pid)), None)
    if its is None:
        wrong = [trouble.reason for trouble in status.health.troubles]
        raise Unreachable(
            f"the daemon (process {status.pid}) has not written into the database yet where its web interface is"
            + (f": {'; '.join(wrong)}" if wrong else ""),
            mend="`schedulerd status` says what keeps it from writing; its log says where the web interface is (`ready web=`)",
        )
    address = its.status.get("web")
    if not address:
        raise Unreachable(
            "the daemon runs without its web interface",
            mend="set `[web] enabled = true`, and start it without --no-web",
        )
    return str(address)


def _show(link: str, environ: Mapping[str, str]) -> None:
    """Have a browser open the link, by a file that only this user may read: arguments are seen by all of the machine."""
    import webbrowser  # only this needs it

    descriptor, name = tempfile.mkstemp(".html", "schedulerd-", environ.get("XDG_RUNTIME_DIR"))
    with os.fdopen(descriptor, "w") as file:
        file.write(_PAGE.format(link=link))
    webbrowser.open(Path(name).as_uri())
