"""How code within a run asks for what it has not got: a variable, a secret, a place, a decision, another run.

Under the daemon the question goes through the run's journal, and the core answers. In plain Python, where no daemon runs
the flow, what can be answered is answered from the project's own database (`schedulerd.direct`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from schedulerd.authoring.loading import is_loading
from schedulerd.authoring.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Channel(Protocol):
    """Where questions are answered."""

    is_by_daemon: bool

    def ask(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        seconds: float | None = None,
        is_long: bool = False,
        private: str | None = None,
    ) -> Mapping[str, Any]:
        """The answer; raises `TimeoutError` where there is none after so many seconds.

        An answer that `is_long` in coming is nothing to be warned of. What is `private` is written nowhere.
        """
        ...

    def tell(self, kind: str, **said: Any) -> None:
        """Record something that needs no answer."""
        ...


_channel: Channel | None = None


def answer_by(channel: Channel | None) -> Channel | None:
    """From now on this process asks there; with None in the project's own database. Where it asked before."""
    global _channel
    before, _channel = _channel, channel
    return before


def present_channel() -> Channel:
    """Where this process asks."""
    if _channel is not None:
        return _channel
    from importlib import import_module

    # By name: this floor knows of no database, and a program that asks for nothing pays nothing.
    channel: Channel = import_module("schedulerd.direct").channel()
    return channel


def is_by_daemon() -> bool:
    """Is this a run of the daemon?"""
    return _channel is not None and _channel.is_by_daemon


def is_idle() -> bool:
    """Is a file only being looked at, so that nothing may be asked?"""
    return _channel is None and is_loading()


def ask(
    kind: str, /, *, _seconds: float | None = None, _is_long: bool = False, **body: Any
) -> Mapping[str, Any]:
    """The answer to a question; raises `Refused` where it cannot be done, `TimeoutError` after `_seconds`."""
    answer = present_channel().ask(kind, body, seconds=_seconds, is_long=_is_long)
    error = answer.get("error")
    if error is not None:
        raise Refused(
            str(error.get("message", "")), mend=str(error.get("mend", "")), kind=str(error.get("kind", ""))
        )
    return answer


def tell(kind: str, /, **said: Any) -> None:
    """Record something that needs no answer."""
    present_channel().tell(kind, **said)
