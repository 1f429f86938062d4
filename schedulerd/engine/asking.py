"""The run's side of asking: a question is a record of the journal, and its answer comes into the mailbox."""

import itertools
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

from schedulerd.authoring.redacting import given
from schedulerd.clock import microseconds
from schedulerd.engine.journal import Record
from schedulerd.engine.mailbox import Answer, Mailbox
from schedulerd.errors import NotPermitted, Unreachable

_SAID_AFTER_SECONDS: Final = 10.0
_WHISPER_SECONDS: Final = 0.5


class JournalChannel:
    """Asks through the journal of a run; for all threads of its process, and for processes that it forks.

    `append` writes a record, and says whether it was written; `ring` lets the daemon know at once, and
    `whisper` tells it a value, for the question of a name, that must not lie on disk.
    """

    is_by_daemon = True

    def __init__(
        self,
        folder: Path | str,
        *,
        append: Callable[[Record], bool],
        ring: Callable[[], None],
        whisper: Callable[[str, str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._append = append
        self._ring = ring
        self._whisper = whisper
        self._warn = warn
        self._numbers = itertools.count(1)
        self._box: Mailbox | None = None
        self._opening = threading.Lock()

    def open(self) -> Mailbox:
        """The mailbox of this process. Raises `NotPermitted` where the run has become another user before."""
        with self._opening:
            if self._box is None or self._box.pid != os.getpid():
                self._box = self._opened()
            return self._box

    def ask(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        seconds: float | None = None,
        is_long: bool = False,
        private: str | None = None,
    ) -> Answer:
        """The answer, whenever it comes: a daemon that is away answers when it is back.

        Raises `TimeoutError` after so many seconds, and `Unreachable` where the question cannot be written.
        """
        if given.is_in_value(body):
            raise NotPermitted(
                f"{kind}: a secret stands in it, and it would be written down",
                mend="hand on the name of the secret, and load it where it is needed",
            )
        until = None if seconds is None else monotonic() + seconds
        box = self.open()
        name = f"{box.pid}.{next(self._numbers)}"
        record = {"k": "ask", "t": microseconds(), "id": name, "q": kind, "b": dict(body), "s": box.door}
        if not self._append(record):
            raise Unreachable(f"{kind} cannot be asked: there is no room for it in the run's journal")
        self._ring()
        if private is not None:
            answer = self._whispered(box, name, private, until)
        elif is_long:
            answer = box.wait(name, until=until)
        else:
            answer = box.wait(name, until=_earlier(until, monotonic() + _SAID_AFTER_SECONDS))
            if answer is None and (until is None or monotonic() < until):
                self._warn(f"the daemon has not answered yet ({kind}); the run waits for it")
                answer = box.wait(name, until=until)
        if answer is None:
            self.tell("free", id=name)  # also of what may have been given meanwhile
            raise TimeoutError(f"no answer within {seconds:g} s")
        return answer

    def _whispered(self, box: Mailbox, name: str, value: str, until: float | None) -> Answer | None:
        """The answer to a question whose value is told again and again: it lies nowhere, and the daemon may be new."""
        while until is None or monotonic() < until:
            self._whisper(name, value)
            answer = box.wait(name, until=_earlier(until, monotonic() + _WHISPER_SECONDS))
            if answer is not None:
                return answer
        return None

    def tell(self, kind: str, **said: Any) -> None:
        """Record something that needs no answer."""
        self._append({"k": kind, "t": microseconds(), **said})

    def close(self) -> None:
        """Let go of the mailbox; who asks again opens another."""
        if self._box is not None:
            self._box.close()
            self._box = None

    def _opened(self) -> Mailbox:
        try:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError as error:
            raise NotPermitted(
                "a process that a run with `user =` has started cannot ask: its folder is the daemon's",
                mend="ask in the flow itself, and hand the value on",
            ) from error
        try:
            return Mailbox(folder)
        finally:
            os.close(folder)


def _earlier(until: float | None, other: float) -> float:
    return other if until is None else min(until, other)
