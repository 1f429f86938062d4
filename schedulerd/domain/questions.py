"""What a run asks for while it goes on, and how it is answered.

A question is a record of the run's journal; it is taken once, and stays open until its answer lies in the run's inbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schedulerd.domain.ids import RunKey

PAUSE: Final = "pause"
AWAIT_RUN: Final = "run.wait"
LONG_WAITS: Final = frozenset({PAUSE, AWAIT_RUN})
"""While it waits for an answer to one of these, a run takes no place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a run asks: `id` is its own for it, `kind` says what is wanted, `body` with what.

    `door` is the socket, in the folder of the run, at which an answer that must not lie on disk is taken.
    """

    id: str
    kind: str
    asked_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    door: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedQuestion:
    """A question that was taken, of which run and attempt it is, and its answer where it has one."""

    run: RunKey
    attempt: int
    question: Question
    answer: Mapping[str, Any] | None = None


def refusal(message: str, *, kind: str = "refused", mend: str = "") -> dict[str, Any]:
    """The answer to what cannot be done: why, and what to do about it."""
    return {"error": {"kind": kind, "message": message, "mend": mend}}
