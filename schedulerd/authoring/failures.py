"""From an exception to a `Failure`: the place in the user's own code, and a traceback without ours."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Final, TypeVar

from schedulerd.authoring.previews import shortened, shortened_middle
from schedulerd.authoring.running import is_cancellation
from schedulerd.domain.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from traceback import FrameSummary, TracebackException

MESSAGE_BYTES: Final = 4 * 1_024
TRACEBACK_BYTES: Final = 32 * 1_024

_OURS: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY: Final = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

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

    `message` replaces what the exception says of itself. `called` is the user's function: its first line is the place
    of an exception that was raised before any line of the user's own, by arguments that do not fit.
    """
    summary = _safely(lambda: _summary(error), None)
    nowhere: Place = (None, None)
    file, line = _safely(lambda: _place(error, summary), nowhere)
    if file is None:
        file, line = _safely(lambda: _first_line(called), nowhere)
    return Failure(
        type=_safely(lambda: shortened(type(error).__name__, limit=200), "Exception"),
        message=shortened(_message(error) if message is None else message, limit=MESSAGE_BYTES),
        file=file,
        line=line,
        task=task,
        traceback=_safely(lambda: _text(summary), ""),
    )


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
    if summary is None:
        return None, None
    for part in _parts(summary):
        own = [frame for frame in part.stack if not _is_library(frame.filename)]
        if part.stack:
            frame = (own or part.stack)[-1]
            return frame.filename, frame.lineno
    return None, None


def _first_line(called: object) -> Place:
    code = getattr(called, "__code__", None)
    return (None, None) if code is None else (code.co_filename, code.co_firstlineno)


def _text(summary: TracebackException | None) -> str:
    if summary is None:
        return ""
    return shortened_middle("".join(summary.format()), limit=TRACEBACK_BYTES)


def _is_ours(frame: FrameSummary) -> bool:
    return frame.filename.startswith((_OURS, "<frozen "))


def _is_library(file: str) -> bool:
    return file.startswith(_LIBRARY) or any(part in file for part in _INSTALLED)
