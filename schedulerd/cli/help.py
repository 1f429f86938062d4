"""`help`: what is worth reading about more than one command."""

from collections.abc import Callable
from typing import Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.errors import MEANINGS


def _exit_codes() -> str:
    return "\n".join(f"{code:>5}  {meaning}" for code, meaning in MEANINGS.items())


def _selectors() -> str:
    return """\
How a run is named, wherever a command takes RUN:

  01a2059d-91cd-7ed3-97b5-f2d9cd2ef945   its id
  01a2059d-91cd                          the first characters of it, 6 or more
  etl#1842                               the flow and the run's number, as tables show it
  @last                                  the newest run
  @last:etl                              the newest run of a flow
  @last-failed                           the newest that failed, timed out or crashed
  @last-failed:etl                       the same of a flow

A prefix that fits more than one run ends with exit code 3 and lists them. A shell takes # for a comment only
at the start of a word, so etl#1842 needs no quotes.
"""


def _filters() -> str:
    return """\
How `runs list` is narrowed; what is given together must all hold:

  --flow etl --flow report     runs of either flow
  --state failed               in this state; may be repeated
  --schedule etl-morning       runs of this schedule
  --since 1d --until 2h        recorded in between (`schedulerd help time` says how times are written)
  --text KeyError              with this text in the flow's name, parameters, reason or error
  -n 50                        at most so many, the newest first

States: scheduled pending running retrying paused cancelling,
and at the end completed failed timed_out crashed cancelled skipped.

`-o name` prints ids for other commands:
  schedulerd runs list --state running -o name | xargs schedulerd runs cancel
"""


def _time() -> str:
    return """\
How times are written:

  15m  1h30m  2w               a duration: so long ago for --since and --until, else from now on (--at, --from, --to)
  now  today  yesterday  tomorrow
  2026-11-01                   midnight of that day
  2026-11-01T09:00             a local time
  2026-11-01T09:00:00Z         RFC 3339

A time that names no zone is meant in that of --tz, or of --utc, or else of this machine. Tables show times in
the same zone; json, jsonl and csv show RFC 3339 in UTC with milliseconds, and durations in milliseconds.
Units of durations: w d h m s ms.
"""


_TOPICS: Final[dict[str, Callable[[], str]]] = {
    "exit-codes": _exit_codes,
    "selectors": _selectors,
    "filters": _filters,
    "time": _time,
}


@click.command("help", cls=Command)
@click.argument("topic", metavar="[TOPIC]", required=False, type=click.Choice(tuple(_TOPICS)))
def help_(topic: str | None) -> None:
    """Read about exit-codes, selectors, filters, time."""
    if topic is None:
        click.echo(f"schedulerd help {'|'.join(_TOPICS)}\nschedulerd COMMAND --help")
    else:
        click.echo(_TOPICS[topic]().rstrip("\n"))
