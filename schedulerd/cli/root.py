"""The program: its commands, its global options, and how it ends."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Final, NoReturn

import click

from schedulerd.cli.commands import Lazy, LazyGroup
from schedulerd.cli.errors import code_of, report
from schedulerd.cli.invocation import Invocation
from schedulerd.file_names import as_text, is_text
from schedulerd.version import __version__

_COMMANDS: Final = {
    "start": Lazy("schedulerd.cli.daemon:start", "Run the daemon in the foreground."),
    "stop": Lazy("schedulerd.cli.daemon:stop", "Stop the daemon."),
    "reload": Lazy("schedulerd.cli.daemon:reload", "Have the daemon read its files again."),
    "status": Lazy("schedulerd.cli.status:status", "Show whether the daemon runs, and how it does."),
    "init": Lazy("schedulerd.cli.init:init", "Make flows/, config/ and an example in a folder."),
    "run": Lazy("schedulerd.cli.run:run", "Ask for a run of a flow."),
    "logs": Lazy("schedulerd.cli.logs:logs", "Show the log of a run."),
    "ps": Lazy("schedulerd.cli.runs:ps", "List the runs that go on or wait."),
    "validate": Lazy("schedulerd.cli.validate:validate", "Check flow files, schedule files and settings."),
    "explain": Lazy("schedulerd.cli.explain:explain", "Say in words when an expression fires."),
    "next": Lazy(
        "schedulerd.cli.explain:next_", "Show what fires next, across everything or of one flow or schedule."
    ),
    "simulate": Lazy(
        "schedulerd.cli.simulate:simulate", "Show what schedules would do over a stretch of time."
    ),
    "flows": Lazy("schedulerd.cli.flows:flows", "Flows: list, show, graph, versions."),
    "schedules": Lazy("schedulerd.cli.schedules:schedules", "Schedules: list, show, next."),
    "import": Lazy("schedulerd.cli.importing:import_", "Import: crontab."),
    "runs": Lazy("schedulerd.cli.runs:runs", "Runs: list, show, logs, wait, cancel."),
    "agents": Lazy("schedulerd.cli.agents:agents", "Agents: list, show, drain, resume, forget."),
    "limits": Lazy("schedulerd.cli.limits:limits", "Limits by name: list, set, unset."),
    "events": Lazy("schedulerd.cli.told:events", "Events: list."),
    "secrets": Lazy("schedulerd.cli.secrets:secrets", "Secrets: list, set, unset."),
    "variables": Lazy("schedulerd.cli.variables:variables", "Variables: list, get, set, unset."),
    "open": Lazy(
        "schedulerd.cli.open:open_", "Print a link to the web interface, by which you are signed in."
    ),
    "users": Lazy("schedulerd.cli.users:users", "Users: list, add, role, password, disable, enable, remove."),
    "tokens": Lazy("schedulerd.cli.tokens:tokens", "Tokens: create, list, revoke."),
    "audit": Lazy("schedulerd.cli.audit:audit", "Show who changed what."),
    "notify": Lazy("schedulerd.cli.notify:notify", "Notices: test, list."),
    "db": Lazy("schedulerd.cli.db:db", "The database: status, upgrade, check, backup, restore, prune."),
    "systemd": Lazy("schedulerd.cli.systemd:systemd", "The systemd unit: install, uninstall."),
    "help": Lazy("schedulerd.cli.help:help_", "Read about exit-codes, selectors, filters, time."),
}
_ALIASES: Final = {
    "agent": "agents",
    "flow": "flows",
    "schedule": "schedules",
    "event": "events",
    "limit": "limits",
    "secret": "secrets",
    "variable": "variables",
    "user": "users",
    "token": "tokens",
}


class Root(LazyGroup):
    """The top of the commands. It alone ends the process."""

    def main(  # type: ignore[override]  # it never returns, whatever `standalone_mode` says
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run what was typed; every error is told here, and ends the process with its code."""
        invocation = extra.pop("obj", None) or Invocation()
        try:
            sys.exit(self._carry_out(list(sys.argv[1:] if args is None else args), prog_name, invocation))
        except (Exception, KeyboardInterrupt) as error:  # border: around one call of the program
            report(error, verbose=invocation.verbose)
            sys.exit(code_of(error))
        finally:
            invocation.close()

    def _carry_out(self, args: list[str], prog_name: str | None, invocation: Invocation) -> int:
        _require_text(args)
        try:
            with self.make_context(prog_name or "schedulerd", args, obj=invocation) as context:
                self.invoke(context)
        except click.exceptions.Exit as ended:
            return ended.exit_code
        finally:
            sys.stdout.flush()  # a pipe that broke is found here, and not when the interpreter ends
        return 0


def _require_text(args: Sequence[str]) -> None:
    """What is typed is looked for in the database, kept there, or sent, and none of these takes bytes that are no text."""
    for word in args:
        if not is_text(word):
            raise click.UsageError(
                f"$'{as_text(word)}' is not UTF-8 text. Names, values and paths are given as text here; "
                "a file or folder of such a name has to be renamed first."
            )


def _commands() -> dict[str, Lazy]:
    """The commands that this installation has."""
    return {
        name: lazy
        for name, lazy in _COMMANDS.items()
        if name != "systemd" or find_spec("schedulerd.cli.systemd")
    }


root = Root(
    "schedulerd",
    lazy=_commands(),
    aliases=_ALIASES,
    top=True,
    context_settings={"max_content_width": 100},
    help="schedulerd runs Python flows on schedules and keeps their history: the daemon, and what asks it.",
    epilog="`schedulerd help` lists what else there is to read.",
    params=[
        click.Option(
            ("-V", "--version"),
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=lambda context, _, value: _show_version(context) if value else None,
            help="Show the version.",
        )
    ],
)


def _show_version(context: click.Context) -> None:
    click.echo(f"schedulerd {__version__}")
    context.exit()
