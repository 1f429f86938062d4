"""From an exception to a `Failure`: the place in the user's own code, and a traceback without ours."""

from __future__ import annotations

import os
import traceback
from linecache import getline
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

from schedulerd.authoring.previews import shortened, shortened_middle
from schedulerd.authoring.running import is_cancellation
from schedulerd.domain.failures import Failure
from schedulerd.errors import SchedulerdError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from traceback import FrameSummary, TracebackException

MESSAGE_BYTES: Final = 4 * 1_024
TRACEBACK_BYTES: Final = 32 * 1_024

_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY: Final = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

_MOST_DECORATORS: Final = 50  # lines of them
_DEFINING: Final = ("def ", "async def ", "class ")

Place = tuple[str | None, int | None]
T = TypeVar("T")


def describe_failure(
    error: BaseException,
    *,
    task: str | None = None,
    message: str | None = None,
    called: object = None,
) -> Failure:
    """What a person needs to find the place. Never raises but for a cancellation, whatever the exception does.

    `message` replaces what the exception says of itself. `called` is the user's function: its `def` is the place of an
    exception that was raised before any line of the user's own, by arguments that do not fit.
    """
    summary = _safely(lambda: _summary(error), None)
    nowhere: Place = (None, None)
    file, line = _safely(lambda: _place(error, summary), nowhere)
    if file is None:
        frame = _safely(lambda: _frame_of(called), None)
        if frame is not None:
            file, line = frame.filename, frame.lineno
            if summary is not None:
                summary.stack.append(frame)
    return Failure(
        type=_safely(lambda: shortened(type(error).__name__, limit=200), "Exception"),
        message=shortened(_message(error) if message is None else message, limit=MESSAGE_BYTES),
        file=file,
        line=line,
        task=task,
        traceback=_safely(lambda: _text(summary), ""),
    )


def fold(error: BaseException) -> None:
    """Take our own frames out of the traceback of an error, and of those that it is chained to.

    One of ours that no line of the user's led to is left whole: it may be a fault of ours.
    """
    left, seen = [error], set()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        folded = _without_ours(one.__traceback__)
        if folded is not None or isinstance(one, SchedulerdError):
            one.__traceback__ = folded
        linked = (one.__cause__, one.__context__, *getattr(one, "exceptions", ()))
        left.extend(other for other in linked if isinstance(other, BaseException))


def _without_ours(found: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while found is not None:
        if not found.tb_frame.f_code.co_filename.startswith((_OURS, "<frozen ")):
            kept.append(found)
        found = found.tb_next
    made: TracebackType | None = None
    for one in reversed(kept):
        made = TracebackType(made, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return made


def _safely(make: Callable[[], T], otherwise: T) -> T:
    try:
        return make()
    except BaseException as error:  # border: exceptions carry code of the user's, which may raise anything
        if is_cancellation(error):
            raise
        return otherwise


def _message(error: BaseException) -> str:
    unprintable = f"<{type(error).__name__} whose str() failed>"
    return _safely(lambda: str.__str__(str(error)), unprintable)


def _summary(error: BaseException) -> TracebackException:
    """The exception and what it is chained to, with our own frames folded away."""
    summary = traceback.TracebackException.from_exception(error, compact=True)
    for part in _parts(summary):
        part.stack[:] = [frame for frame in part.stack if not _is_ours(frame)]
    return summary


def _parts(summary: TracebackException) -> Iterator[TracebackException]:
    """The exception itself, its causes and contexts, and the members of groups, each once."""
    left = [summary]
    while left:
        part = left.pop()
        yield part
        linked = (part.__cause__, part.__context__, *(part.exceptions or ()))
        left.extend(one for one in linked if one is not None)


def _place(error: BaseException, summary: TracebackException | None) -> Place:
    """Where a person should look first: the innermost line of code that is neither ours nor a library's."""
    if isinstance(error, SyntaxError) and isinstance(error.filename, str) and error.filename[:1] != "<":
        return error.filename, error.lineno
    if isinstance(place := getattr(error.__cause__, "place", None), tuple) and place[0] is not None:
        return place[0], place[1]  # it was raised in another process
    if summary is None:
        return None, None
    for part in _parts(summary):
        own = [frame for frame in part.stack if not _is_library(frame.filename)]
        if part.stack:
            frame = (own or part.stack)[-1]
            return frame.filename, frame.lineno
    return None, None


def _frame_of(called: object) -> FrameSummary | None:
    """The line on which a function is defined, below its decorators, as a frame of a traceback."""
    code = getattr(called, "__code__", None)
    if code is None:
        return None
    first, most = code.co_firstlineno, code.co_firstlineno + _MOST_DECORATORS
    lines = (n for n in range(first, most) if getline(code.co_filename, n).lstrip().startswith(_DEFINING))
    return traceback.FrameSummary(code.co_filename, next(lines, first), code.co_name)


def _text(summary: TracebackException | None) -> str:
    if summary is None:
        return ""
    return shortened_middle("".join(summary.format()), limit=TRACEBACK_BYTES)


def _is_ours(frame: FrameSummary) -> bool:
    return frame.filename.startswith((_OURS, "<frozen "))


def _is_library(file: str) -> bool:
    return file.startswith(_LIBRARY) or any(part in file for part in _INSTALLED)
