"""The journal of a run: a line of JSON for each thing that happened, appended with one write.

It is the only thing that a run ever waits for. A record is taken for good once its newline is there. What found no room is
counted, and told by a record of kind `lost` as soon as there is room for that.
"""

import ctypes
import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schedulerd.clock import microseconds
from schedulerd.domain.redaction import Redactor

Record = dict[str, Any]

_LAST: Final = ("end", "exit")  # kinds of records that say what a run came to
_NO_WORDS: Final = frozenset({"k", "t", "s", "q", "id", "c"})
_KEPT: Final = frozenset({"v", "x"})  # values that hold a secret are not kept in the first place
_CHUNK: Final = 1 << 20
# At the end of a line that was cut short: no JSON has it, and no page that was never written.
_CUT: Final = b"\x18"
_FULL: Final = {errno.ENOSPC: "the disk was full", errno.EDQUOT: "the quota of the disk was used up"}
_LOG_LINE: Final = b'{"k":"log",'
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # linux/falloc.h
TAIL: Final = (
    1 << 18
)  # more than the longest last record: a message of 4 KiB and a traceback of 32 KiB, escaped
_MOST_LINES: Final = 5_000  # what one turn of the core hands to the database stays small
_decode: Final = json.JSONDecoder().decode  # `loads` would first guess, of each line, how it is encoded
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=repr).encode


class Journal:
    """Appends records to a journal; `wrote` is called after each, to let the reader know.

    What `redactor` knows is left out of all that is said in words. `make_room` is called, once, when the last record of a run finds no room: what it came to is to be known.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        wrote: Callable[[], None],
        make_room: Callable[[], None] = lambda: None,
        redactor: Redactor | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._wrote = wrote
        self._make_room = make_room
        self._torn = False
        self._lost = 0
        self._why = ""
        self._redactor = Redactor() if redactor is None else redactor  # an empty one is filled later

    def append(self, record: Record) -> bool:
        """Append one record. Never raises: a record that finds no room is lost (False), and those after it are not."""
        if self._redactor:
            record = _redacted(record, self._redactor)
        line = _encode(record).encode() + b"\n"
        lost, self._lost = self._lost, 0  # taken, so that no other thread tells of the same ones
        note = self._note(lost)
        written = self._write(note + line)
        if written == len(note) + len(line):
            return True
        if written >= len(note):
            lost = 0  # that is told
        if record["k"] in _LAST and self._write_last(line, lost):
            return True
        self._lost += lost + 1
        return False

    def _write_last(self, line: bytes, lost: int) -> bool:
        """Write the last record into the room that is kept for it, and then what of those before it was lost."""
        self._make_room()
        if self._write(line) != len(line):
            return False
        self._write(self._note(lost))
        return True

    def _note(self, lost: int) -> bytes:
        """The record that tells of so many that were lost; nothing where none was."""
        if not lost:
            return b""
        return _encode({"k": "lost", "t": microseconds(), "n": lost, "m": self._why}).encode() + b"\n"

    def _write(self, lines: bytes) -> int:
        """Write whole lines; how many bytes of them found room."""
        if not lines:
            return 0
        ending = _CUT + b"\n" if self._torn else b""  # of what a short write left
        data = ending + lines
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._why = _FULL.get(error.errno or 0) or os.strerror(error.errno or 0)
            return 0
        self._torn = not data[:written].endswith(b"\n")
        self._wrote()
        return max(0, written - len(ending))


def _redacted(record: Record, redactor: Redactor) -> Record:
    """The record without secrets. What is no words stays: kinds, states, ids, calls, and values as they are kept."""
    return {
        name: value
        if name in _NO_WORDS or (name in _KEPT and isinstance(value, list))
        else redactor.redact_all(value)
        for name, value in record.items()
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What was read of a file from an offset on: its whole lines, and the offset behind them."""

    lines: tuple[bytes, ...]
    offset: int
    more: bool


def read_piece(path: Path | str, offset: int, *, to_the_end: bool, longest: int = _CHUNK) -> Piece:
    """The whole lines of a file from `offset` on: at most about a mebibyte of them, and at most 5,000.

    With `to_the_end` (its writer is dead) an unfinished last line counts as whole. A line of more than `longest`
    bytes is handed out in parts, cut between characters. A file that is not there, or is shorter than the offset, has
    no lines.
    """
    data = _read(path, offset, min(_size(path) - offset, _CHUNK))
    full = len(data) == _CHUNK
    cut = data.rfind(b"\n") + 1
    if cut < len(data) and to_the_end and not full:
        cut = len(data)
    elif len(data) - cut >= longest:
        cut = _whole_characters(data)
    lines = data[:cut].split(b"\n", _MOST_LINES)
    rest = lines.pop()
    if rest and len(lines) == _MOST_LINES:
        cut -= len(rest)
        full = True
    elif rest:
        lines.append(rest)
    return Piece(lines=tuple(lines), offset=offset + cut, more=full and cut > 0)


def skip_piece(path: Path | str, offset: int) -> Piece:
    """Nothing of what is in a file from `offset` on."""
    return Piece(lines=(), offset=max(offset, _size(path)), more=False)


def is_log_line(line: bytes) -> bool:
    """Is this a record of kind `log`, as the recorder writes it?"""
    return line.startswith(_LOG_LINE)


def forget(path: Path, start: int, end: int) -> bool:
    """Give the disk back what a file holds between two offsets; what comes after stays where it is.

    Nothing happens (False) where the file system cannot do that (fallocate(2), FALLOC_FL_PUNCH_HOLE).
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        libc = ctypes.CDLL(None)
        offsets = (ctypes.c_longlong(start), ctypes.c_longlong(end - start))
        return bool(libc.fallocate(file, _PUNCH_HOLE | _KEEP_SIZE, *offsets) == 0)
    finally:
        os.close(file)


def read_tail(path: Path | str) -> tuple[bytes, ...]:
    """The last lines of a file whose writer is dead, the first of them perhaps not whole; none when it is not there."""
    tail = _read(path, max(0, _size(path) - TAIL), TAIL)
    return tuple(tail.split(b"\n")) if tail else ()


def _size(path: Path | str) -> int:
    """How long a file is; 0 for one that is not there."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _read(path: Path | str, offset: int, length: int) -> bytes:
    """So much of a file from `offset` on, as far as there is: it is not even opened for nothing."""
    if length <= 0:
        return b""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(file, length, offset)
    finally:
        os.close(file)


def _whole_characters(data: bytes) -> int:
    """The length of the data without an unfinished UTF-8 character at its end (RFC 3629)."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0b1100_0000 != 0b1000_0000:  # not a continuation: the first byte says how many there are
            length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return len(data) - back if length > back else len(data)
    return len(data)


def parse(lines: tuple[bytes, ...]) -> Iterator[Record]:
    """The records of journal lines. One that cannot be parsed becomes a record of kind `damaged`.

    What a short write left of one is none: that it was lost is told by a record of its own.
    """
    for line in lines:
        if not line or line.endswith(_CUT):
            continue
        try:
            record = _decode(line.decode("utf-8", "surrogatepass"))
            if not isinstance(record, dict) or not isinstance(record.get("k"), str):
                raise ValueError("not a record")
        except (ValueError, RecursionError):
            yield {"k": "damaged", "m": clean(line.decode("utf-8", "replace"))[:500]}
        else:
            yield record


_UNSTORABLE: Final = {0: "␀", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


def clean(text: str) -> str:
    """The text without what a database or a terminal cannot hold: NUL and lone surrogates are replaced."""
    if text.isascii():
        return text.replace("\0", "␀") if "\0" in text else text
    return text.translate(_UNSTORABLE)
