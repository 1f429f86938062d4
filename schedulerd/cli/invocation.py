"""One call of the program: what was said globally, and what commands work with, made when first asked for."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedulerd.cli.output import Output
from schedulerd.clock import Clock, SystemClock

if TYPE_CHECKING:
    from schedulerd.config import Settings
    from schedulerd.domain.wording import Language
    from schedulerd.operations.operations import Operations
    from schedulerd.store.database import Database


class Invocation:
    """What the global options say. Settings, database and operations are imported late: `--help` needs none of them."""

    def __init__(self, *, clock: Clock | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.environ: Mapping[str, str] = os.environ if environ is None else environ
        self.config: str | None = None
        self.format = "table"
        self.color = "auto"
        self.language: Language = "en"
        self.utc = False
        self.quiet = False
        self.verbose = False
        self.yes = False
        self.zone_name = ""
        self._zone: tzinfo | None = None
        self._database: Database | None = None

    def use_zone(self, name: str) -> None:
        """Show times in this zone."""
        from schedulerd.domain.zones import zone  # only those who ask for a zone pay for its data
        from schedulerd.errors import BadExpression

        try:
            self._zone = zone(name)
            self.zone_name = name
        except BadExpression as error:
            raise click.BadParameter(error.reason, param_hint="'--tz'") from error

    @property
    def zone(self) -> tzinfo | None:
        """The zone in which people are shown times, and mean what they type without one; None: the machine's."""
        return UTC if self.utc else self._zone

    def now(self) -> datetime:
        """The present moment."""
        return self.clock.now()

    @cached_property
    def output(self) -> Output:
        """Where data and talk go."""
        return Output(
            format=self.format,
            color=self.color,
            quiet=self.quiet,
            zone=self.zone,
            clock=self.clock,
            environ=self.environ,
        )

    @cached_property
    def settings_file(self) -> Path | None:
        """The settings file that is in force, None where there is none."""
        from schedulerd.config import find_settings_file

        return find_settings_file(Path(self.config) if self.config else None, self.environ)

    @cached_property
    def settings(self) -> "Settings":
        """The settings. Raises `BadDefinition`, and `NotFound` for a file that was named and is not there."""
        from schedulerd.config import load_settings

        return load_settings(self.settings_file, self.environ)

    @property
    def database(self) -> "Database":
        """The database, closed when the program ends."""
        if self._database is None:
            from schedulerd.operations.daemon import guard  # imports SQLAlchemy
            from schedulerd.store.database import Database

            self._database = guard(Database(self.settings.store.url), self.settings.state_dir)
        return self._database

    @cached_property
    def operations(self) -> "Operations":
        """What can be asked. Raises `Unreachable` where the database cannot be used."""
        asked = self.operations_before_upgrade
        self.database.require_current()
        return asked

    @cached_property
    def operations_before_upgrade(self) -> "Operations":
        """The same, whatever the schema of the database is, and whether there is one."""
        from schedulerd.operations.operations import Operations  # imports SQLAlchemy

        return Operations(
            self.database, state_dir=self.settings.state_dir, clock=self.clock, environ=self.environ
        )

    def confirm(self, question: str) -> None:
        """Go on only with `--yes`, or when a person at a terminal says so; raises `click.UsageError` and `Abort`."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError("this cannot be undone: say --yes")
        click.confirm(question, abort=True, err=True)

    def close(self) -> None:
        """Give up what was opened."""
        if self._database is not None:
            self._database.close()


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
