"""Where data and talk go: stdout is data in the format that was asked for, stderr is everything else."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

import click

from schedulerd.cli import moments
from schedulerd.cli.tables import Cell, draw
from schedulerd.clock import Clock

FORMATS: Final = ("table", "wide", "json", "jsonl", "csv", "name")
Shape = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table for people. `only_wide` ones are shown with `-o wide`; a `flexible` one gives way to a
    narrow terminal."""

    title: str
    cell: Callable[[Shape], Cell]
    only_wide: bool = False
    flexible: bool = False
    right: bool = False


class Output:
    """Shows shapes in the format that was asked for, and says things to people."""

    def __init__(
        self,
        *,
        format: str,  # noqa: A002  the word that people have for it
        color: str,
        quiet: bool,
        zone: tzinfo | None,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self.format: Final = format
        self._clock: Final = clock
        self.zone: Final = zone
        self._quiet: Final = quiet
        self.color: Final = _wants_color(color, environ, sys.stdout.isatty())
        self._talk_color: Final = _wants_color(color, environ, sys.stderr.isatty())

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self._clock.now()

    @property
    def is_for_people(self) -> bool:
        """Is a table wanted, or one of its kind?"""
        return self.format in ("table", "wide")

    @property
    def is_wide(self) -> bool:
        """Is more than the usual wanted?"""
        return self.format == "wide"

    @property
    def width(self) -> int | None:
        """How wide lines may be; None where nobody sees them, or more than the usual is wanted."""
        return _terminal_width() if sys.stdout.isatty() and not self.is_wide else None

    def say(self, text: str) -> None:
        """Tell a person something that is not data."""
        if not self._quiet:
            click.echo(text, err=True, color=self._talk_color)

    def line(self, text: str) -> None:
        """A line of data, at once."""
        click.echo(text, color=self.color)
        sys.stdout.flush()

    def raw(self, text: str) -> None:
        """A line of data as it is, escape bytes too, at once."""
        click.echo(text, color=True)
        sys.stdout.flush()

    def rows(
        self, shapes: Sequence[Shape], columns: Sequence[Column], *, empty: str, name: str = "name"
    ) -> None:
        """Many things. `name` is the field that `-o name` prints; `empty` is said where there are none."""
        if not shapes:
            self.say(empty)
        match self.format:
            case "json":
                self.line(json_text(list(shapes), indent=2))
            case "jsonl":
                self._lines(json_text(shape) for shape in shapes)
            case "csv":
                self._csv(shapes)
            case "name":
                self._lines(str(shape[name]) for shape in shapes)
            case _:
                self._table(shapes, columns)

    def one(self, shape: Shape, text: Callable[[], str], *, name: str = "name") -> None:
        """One thing; `text` is what people see of it."""
        match self.format:
            case "json":
                self.line(json_text(shape, indent=2))
            case "jsonl":
                self.line(json_text(shape))
            case "csv":
                self._csv([shape])
            case "name":
                self._lines([str(shape[name])] if shape[name] is not None else [])
            case _:
                self.line(text())

    def ago(self, rfc3339: str | None) -> str:
        """How long ago or ahead a time of a shape is; with `-o wide` the local time itself."""
        if rfc3339 is None:
            return ""
        return self.at(rfc3339) if self.is_wide else self.relative(rfc3339)

    def relative(self, rfc3339: str) -> str:
        """How long ago or ahead a time of a shape is."""
        return moments.relative(datetime.fromisoformat(rfc3339), now=self.now)

    def at(self, rfc3339: str | None) -> str:
        """A time of a shape as the clock on the wall shows it."""
        return "" if rfc3339 is None else moments.local(datetime.fromisoformat(rfc3339), self.zone)

    def at_and_ago(self, rfc3339: str | None) -> str:
        """Both."""
        if rfc3339 is None:
            return ""
        return f"{self.at(rfc3339)}  ({self.relative(rfc3339)})"

    def _table(self, shapes: Sequence[Shape], columns: Sequence[Column]) -> None:
        if not shapes:
            return
        shown = [column for column in columns if self.is_wide or not column.only_wide]
        lines = draw(
            [column.title for column in shown],
            [[column.cell(shape) for column in shown] for shape in shapes],
            flexible=[column.flexible for column in shown],
            right=[column.right for column in shown],
            width=self.width,
        )
        self._lines(lines)

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(line, color=self.color)
        sys.stdout.flush()

    def _csv(self, shapes: Sequence[Shape]) -> None:
        if not shapes:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(shapes[0])
        writer.writerows([_csv_value(shape.get(name)) for name in shapes[0]] for shape in shapes)
        click.echo(text.getvalue(), nl=False)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON as text; what is not ASCII stays readable."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def _csv_value(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return json_text(value) if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _terminal_width() -> int:
    import shutil  # only tables on a terminal need it

    return shutil.get_terminal_size().columns


def _wants_color(color: str, environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether to colour: what was said for this call, then NO_COLOR and FORCE_COLOR, then whether somebody sees it."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_terminal and environ.get("TERM") != "dumb"
