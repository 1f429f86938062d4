"""Commands and groups of ours: each takes the global options, and a group imports a command only when it is called."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from schedulerd.cli.invocation import Invocation
from schedulerd.cli.output import FORMATS

Callback = Callable[[click.Context, click.Parameter, Any], Any]


class Lazy(NamedTuple):
    """Where a command is, and its short help, which a list of commands shows without importing it."""

    place: str
    short_help: str


def _note(name: str) -> Callback:
    """A callback that keeps an option in the invocation; one given last, after the command's name, wins."""

    def note(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.ensure_object(Invocation), name, value)

    return note


def _zone(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Invocation).use_zone(value)


def global_options(*, hidden: bool) -> list[click.Option]:
    """The options that every command takes; below the top `--help` shows `-o` only."""

    def option(*names: str, note: str = "", callback: Callback | None = None, **more: Any) -> click.Option:
        noted = callback or _note(note)
        return click.Option(names, expose_value=False, is_eager=True, callback=noted, **more)

    return [
        option(
            "-o",
            "--output",
            "output_format",
            note="format",
            type=click.Choice(FORMATS),
            help="How to print data; name prints ids for xargs.",
        ),
        option(
            "--config",
            note="config",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            hidden=hidden,
            help="The settings file. Also SCHEDULERD_CONFIG; else ./config/schedulerd.toml, then "
            "/etc/schedulerd/schedulerd.toml.",
        ),
        option(
            "--color",
            note="color",
            type=click.Choice(("auto", "always", "never")),
            hidden=hidden,
            help="Colours; auto: on a terminal. NO_COLOR and FORCE_COLOR count too.",
        ),
        option("--tz", callback=_zone, metavar="ZONE", hidden=hidden, help="Show times in this time zone."),
        option(
            "--lang",
            note="language",
            type=click.Choice(("en", "ko")),
            hidden=hidden,
            help="Say in this language what schedules mean: English (the default) or Korean.",
        ),
        option("--utc", note="utc", is_flag=True, hidden=hidden, help="Show times in UTC."),
        option(
            "-q",
            "--quiet",
            note="quiet",
            is_flag=True,
            hidden=hidden,
            help="Say nothing but data and errors.",
        ),
        option(
            "-v", "--verbose", note="verbose", is_flag=True, hidden=hidden, help="Say more; show tracebacks."
        ),
        option("-y", "--yes", note="yes", is_flag=True, hidden=hidden, help="Answer yes to every question."),
    ]


class _Helpful(click.Command):
    """Help answers to both names wherever the command is met.

    click keeps the help option that it makes first, with the names of the context it was made in; ours are the
    same in all.
    """

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The names of the help option."""
        return ["-h", "--help"]


class Command(_Helpful):
    """A command that takes the global options too."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.params += global_options(hidden=True)


class LazyGroup(_Helpful, click.Group):
    """A group that knows its commands by place and short help. `aliases` are accepted and not shown."""

    command_class = Command

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, Lazy] | None = None,
        aliases: Mapping[str, str] | None = None,
        top: bool = False,
        **values: Any,
    ) -> None:
        super().__init__(*args, **values)
        self.params += global_options(hidden=not top)
        self.lazy: Final = dict(lazy or {})
        self._aliases: Final = dict(aliases or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they are told."""
        return [*self.commands, *self.lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        name = self._aliases.get(cmd_name, cmd_name)
        if name not in self.lazy:
            return super().get_command(ctx, name)
        module, _, attribute = self.lazy[name].place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with; a misspelt one is told what it may have meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            known = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=known, ctx=ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any that is lazy."""
        rows = [
            *((name, one.get_short_help_str(100)) for name, one in self.commands.items() if not one.hidden),
            *((name, lazy.short_help) for name, lazy in self.lazy.items()),
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
