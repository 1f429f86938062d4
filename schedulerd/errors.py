"""One tree of errors: a class for each thing that a caller can do differently.

Each holds the data that its message is made of, so that an edge may word it in its own way.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from schedulerd.file_names import as_text, is_text
from schedulerd.sentences import joined, said
from schedulerd.widths import display_width

MOST_SHOWN: Final = 72
"""So many characters of an expression are shown with the place that is wrong."""

KINDS: Final = (
    *("flow", "run", "schedule", "task", "agent", "token", "session", "result", "secret", "variable"),
    *(
        "version",
        "tag",
        "limit",
        "file",
        "user",
        "kind of problem",
        "file of flows in the folder",
        "flow or schedule",
    ),
)
"""What `NotFound`, `Ambiguous` and `Stale` tell of, in words that edges may have in other languages."""

# What a terminal would obey, but for the tab: C0, DEL, C1, and what turns the direction of the text around.
_HARMFUL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class SchedulerdError(Exception):
    """What went wrong, worded for a person, in words that can be written anywhere, whatever a file in them is called.

    `mend` is what to do or type next, or empty.
    """

    def __init__(self, message: str, *, mend: str = "") -> None:
        message, mend = as_text(message), as_text(mend)
        super().__init__(message)
        self.message = message
        self.mend = mend


class BadDefinition(SchedulerdError):
    """A file that people write (settings, schedules, flows) is not valid at a place."""

    def __init__(self, reason: str, *, file: Path | str, line: int | None = None, mend: str = "") -> None:
        file, reason = as_text(file), as_text(reason)
        place = f"{file}:{line}" if line is not None else file
        super().__init__(joined(": ", (place, reason)), mend=mend)
        self.reason = reason
        self.file = file
        self.line = line


class UnreadableName(BadDefinition):
    """A file or folder has a name that is no UTF-8 text, or lies in a folder that has."""

    def __init__(self, path: Path) -> None:
        named = next(one for one in reversed((path, *path.parents)) if not is_text(one))
        what = "its name is" if named == path else "the name of a folder above it is"
        super().__init__(
            f"refused: {what} not UTF-8 text",
            file=path,
            mend=f"rename it: mv $'{as_text(named)}' {named.parent}/NEW_NAME",
        )


class BadExpression(SchedulerdError):
    """An expression (cron, duration, time, zone) is not valid; `start` and `end` mark the token in it."""

    def __init__(
        self, reason: str, *, expression: str, start: int = 0, end: int | None = None, code: str = "invalid"
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expression = expression
        self.start = start
        self.end = len(expression) if end is None else end
        self.code = code

    def caret(self) -> str:
        """Two lines: the expression, or as much of a long one as shows the place, and carets under the wrong token.

        They stand right in a terminal, whatever the width of the characters before; a control character is shown as
        a sign for one.
        """
        text, start, end = self._around()
        before, marked = _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text[:start]), text[start:end]
        shown = _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)
        blank = "".join("\t" if character == "\t" else " " * display_width(character) for character in before)
        return f"{shown}\n{blank}{'^' * max(1, display_width(marked))}"

    def _around(self) -> tuple[str, int, int]:
        """The expression and the place in it, cut down to what a terminal has room for."""
        if len(self.expression) <= MOST_SHOWN:
            return self.expression, self.start, self.end
        first = max(0, self.start - MOST_SHOWN // 2)
        last = first + MOST_SHOWN
        left, right = "…" if first else "", "…" if last < len(self.expression) else ""
        moved = first - len(left)
        return f"{left}{self.expression[first:last]}{right}", self.start - moved, min(self.end, last) - moved


class BadParameters(SchedulerdError):
    """The parameters given to a flow do not fit it."""


class NotFound(SchedulerdError):
    """Nothing has this name."""

    def __init__(self, kind: str, name: str, *, near: Sequence[str] = (), mend: str = "") -> None:
        what = said("there is no {kind} {name!r}", kind=said(kind), name=name)
        hint = said("{what}; did you mean {listed}?", what=what, listed=", ".join(near))
        super().__init__(hint if near else what, mend=mend)
        self.kind = kind
        self.name = name
        self.near = tuple(near)


class Ambiguous(SchedulerdError):
    """More than one thing answers to this name."""

    def __init__(self, kind: str, name: str, *, candidates: Sequence[str]) -> None:
        listed = ", ".join(candidates)
        super().__init__(
            said("{name!r} names more than one {kind}: {listed}", name=name, kind=said(kind), listed=listed)
        )
        self.kind = kind
        self.name = name
        self.candidates = tuple(candidates)


class NotPermitted(SchedulerdError):
    """The operating system or a role does not allow it."""


class Conflict(SchedulerdError):
    """It cannot be done in the present state: it exists, has ended, or runs already."""


class Stale(Conflict):
    """It is not any more what it was when whoever changes it looked: `by` whom and `when`, as far as that is known."""

    def __init__(
        self, kind: str, name: str, *, is_there: bool, by: str = "", when: datetime | None = None
    ) -> None:
        super().__init__(
            _stale(said(kind), name, is_there=is_there, by=by, when=when),
            mend=said("read it again, and decide anew"),
        )
        self.kind = kind
        self.name = name
        self.by = by
        self.when = when


def _stale(kind: str, name: str, *, is_there: bool, by: str, when: datetime | None) -> str:
    if not is_there:
        return said("the {kind} {name!r} is not there", kind=kind, name=name)
    what = said("the {kind} {name!r} was changed meanwhile", kind=kind, name=name)
    if by:
        what = said("{what} by {by}", what=what, by=by)
    return what if when is None else said("{what} at {when:%Y-%m-%d %H:%M:%S %Z}", what=what, when=when)


class IllegalMove(Conflict):
    """A run or task cannot go from one state to the other."""

    def __init__(self, what: str, was: str, to: str) -> None:
        super().__init__(
            said("{what} is {was}; it cannot become {to}", what=what, was=said(was), to=said(to))
        )
        self.was = was
        self.to = to


class AlreadyRunning(Conflict):
    """Another daemon holds this state directory."""

    def __init__(self, state_dir: Path | str, pid: int | None) -> None:
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"a schedulerd already runs on {state_dir} ({who})",
            mend="stop it with `schedulerd stop`, or give this one a state_dir of its own",
        )
        self.pid = pid


class PortTaken(Conflict):
    """The address for the web interface is in use."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"cannot listen on {host}:{port}: another program uses this port",
            mend=f"free it (`ss -ltnp 'sport = :{port}'` shows who has it), or choose another: "
            f"`schedulerd start --port {port + 1}`, `[web] port` in the settings, or SCHEDULERD_WEB__PORT",
        )
        self.host = host
        self.port = port


class Unreachable(SchedulerdError):
    """The daemon or the database does not answer."""


class StoreUnavailable(Unreachable):
    """The database could not be opened, read or written just now; nothing was half-written."""


class StoreFull(StoreUnavailable):
    """There is no room for what was to be written into the database; nothing was half-written."""


class StoreReplaced(StoreUnavailable):
    """The file of the database is not there any more, or is another one than the one in use."""


class StoreOutdated(Unreachable):
    """The database has another schema than this version of schedulerd."""


class WaitTimeout(SchedulerdError):
    """What was waited for did not happen in time; it goes on."""
