"""Kinds of values on the command line, read by what operations understand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import click

from schedulerd.cli.invocation import Invocation
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.logs import LEVELS
from schedulerd.domain.moments import coming_moment, past_moment
from schedulerd.domain.pools import HIGHEST_PRIORITY, LOWEST_PRIORITY
from schedulerd.domain.states import RunState
from schedulerd.errors import BadExpression


class _Moment(click.ParamType[datetime]):
    """A moment: `15m`, `yesterday`, `2026-11-01T09:00`, in the zone of the person where it names none."""

    name = "time"

    def __init__(self, read: Callable[..., datetime]) -> None:
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment, or a usage error."""
        invocation = ctx.ensure_object(Invocation) if ctx is not None else Invocation()
        try:
            return self._read(value, now=invocation.now(), zone=invocation.zone)
        except BadExpression as error:
            self.fail(error.reason, param, ctx)


class _Span(click.ParamType[tuple[datetime, datetime]]):
    """Two moments: `2026-03-29T01:00..2026-03-29T05:00`."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[datetime, datetime]:
        """The two, or a usage error."""
        first, dots, last = str(value).partition("..")
        if not dots:
            example = "2026-03-29T01:00..2026-03-29T05:00"
            self.fail(f"{value!r}: write two times with .. between, such as {example}", param, ctx)
        return COMING.convert(first, param, ctx), COMING.convert(last, param, ctx)


class _Duration(click.ParamType[timedelta]):
    """A duration: `90s`, `15m`, `1h30m`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration, or a usage error."""
        try:
            return parse_duration(value)
        except BadExpression as error:
            self.fail(f"{value!r}: {error.reason}", param, ctx)


class _Level(click.Choice[str]):
    """The name of a log level, as its number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number of the level."""
        return LEVELS[super().convert(value, param, ctx)]


PAST: Final = _Moment(past_moment)
COMING: Final = _Moment(coming_moment)
SPAN: Final = _Span()
DURATION: Final = _Duration()
LEVEL: Final = _Level(tuple(LEVELS))
STATE: Final = click.Choice([state.value for state in RunState])
COUNT: Final = click.IntRange(min=1, max=10_000)
PRIORITY: Final = click.IntRange(min=LOWEST_PRIORITY, max=HIGHEST_PRIORITY)
LINES: Final = click.IntRange(min=0, max=10_000_000)
