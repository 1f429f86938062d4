"""What a call of hooks left behind in its folder, and what is to be told of it in the log of its run. Changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from schedulerd.clock import moment
from schedulerd.domain.durations import duration_text
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.signal_names import signal_name
from schedulerd.domain.told import Artifact, Event
from schedulerd.engine import folders
from schedulerd.engine.journal import TAIL, Record, clean, forget, parse, read_piece, read_tail
from schedulerd.engine.notes import Exit, Word, read_exit, read_word
from schedulerd.scheduler.records import output_lines, read_records

KEPT_BYTES: Final = 1 << 20  # of each of its files, which is what one reading takes
_LONGEST_LINE: Final = 64 * 1024
_WARNING, _ERROR = 30, 40
_FILES: Final = (folders.JOURNAL, folders.STDOUT, folders.STDERR)


@dataclass(frozen=True, kw_only=True, slots=True)
class HookReading:
    """What hooks said for the run; `cut_short` says why they were not called to their end, None where they were."""

    lines: tuple[LogLine, ...]
    cut_short: str | None
    artifacts: tuple[Artifact, ...] = ()
    events: tuple[Event, ...] = ()


def read_hooks_folder(
    path: Path, *, now: datetime, limit: timedelta, redact: Callable[[str], str] = str
) -> HookReading:
    """What a call whose process has ended, with all that it left behind, has to say; `limit` is how long it had.

    Its output is told as `redact` says.
    """
    pieces = [
        read_piece(
            path / name, 0, to_the_end=True, longest=_LONGEST_LINE if name != folders.JOURNAL else KEPT_BYTES
        )
        for name in _FILES
    ]
    records = list(parse(pieces[0].lines))
    last = [*records, *parse(read_tail(path / folders.JOURNAL))] if pieces[0].more else records
    said = read_records(records, now=now)
    lines = said.lines
    lines += output_lines(pieces[1].lines, Stream.STDOUT, now=now, redact=redact)
    lines += output_lines(pieces[2].lines, Stream.STDERR, now=now, redact=redact)
    if any(piece.more for piece in pieces):
        lines.append(_told("the hooks wrote more than is kept of them", _WARNING, now))
    ended = read_exit(path)
    if ended is not None and ended.left:
        text = f"the hooks left {ended.left} process(es) or group(s) behind; they were ended"
        lines.append(_told(text, _WARNING, now))
    cut_short = None
    if not any(record["k"] == "end" for record in last):
        how = _manner(ended, read_word(path), limit)
        cut_short = _cut_short(how, hook=next(_hooks(reversed(last)), None))
        lines.append(_told(cut_short, _ERROR, now))
    return HookReading(
        lines=tuple(lines),
        cut_short=cut_short,
        artifacts=tuple(said.artifacts),
        events=tuple(said.events),
    )


def lost(why: str, *, now: datetime) -> HookReading:
    """The reading of a call of which nothing more can be known."""
    cut_short = _cut_short(why, hook=None)
    return HookReading(lines=(_told(cut_short, _ERROR, now),), cut_short=cut_short)


def began_at(path: Path) -> datetime | None:
    """When the hooks began to be called, as far as their journal says."""
    first = next(parse(read_piece(path / folders.JOURNAL, 0, to_the_end=False).lines[:1]), None)
    try:
        return None if first is None or first["k"] != "start" else moment(first["t"])
    except (KeyError, TypeError, OverflowError):
        return None


def punch(path: Path) -> None:
    """Give the disk back what a call has written that will not be read."""
    for name in _FILES:
        try:
            size = (path / name).stat().st_size
        except OSError:
            continue
        if size > 2 * (KEPT_BYTES + TAIL):
            forget(path / name, KEPT_BYTES, size - TAIL)


def _hooks(records: Iterator[Record]) -> Iterator[str]:
    return (clean(str(record.get("m", ""))) for record in records if record["k"] == "hook")


def _cut_short(how: str, *, hook: str | None) -> str:
    if hook is None:
        return f"its hooks were cut short: {how}; they are not called again"
    return f"hook {hook} was cut short: {how}; neither it nor those after it are called again"


def _manner(ended: Exit | None, word: Word | None, limit: timedelta) -> str:
    stopped = ended.stopped if ended is not None and ended.stopped is not None else word
    if stopped == Word.TIMEOUT:
        return f"it did not end within {duration_text(limit)} (`hook_timeout`)"
    if stopped is not None:
        return f"it was ended ({stopped})"
    if ended is not None and ended.signal is not None:
        return f"killed by {signal_name(ended.signal)}"
    if ended is not None and ended.status is not None:
        return f"its process exited with status {ended.status}"
    return "its process went away"


def _told(text: str, level: int, now: datetime) -> LogLine:
    return LogLine(at=now, level=level, message=text, stream=Stream.SYSTEM, logger="schedulerd")
