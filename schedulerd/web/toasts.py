"""What was done just now, as the next page says it: with a link to what came of it, and a way back where that is cheap. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from schedulerd.web.segments import segment
from schedulerd.web.words import DONE

COOKIE: Final = "done"
"""The cookie that tells the next page."""

_OF_RUNS: Final = frozenset({"started", "cancelling", "killed", "retrying", "approved", "rejected"})
_OF_SCHEDULES: Final = frozenset({"paused", "resumed", "saved"})
_MOST: Final = 1_500
"""A browser need not keep more than 4,096 bytes of a cookie."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Undo:
    """A form that takes it back: where it goes, and what it is sent with: the reason, or which pause it ends."""

    action: str
    reason: str = ""
    paused_at: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Toast:
    """`text` is to be translated; `name` is what it was done with, and `href` the page of that."""

    text: str
    name: str = ""
    href: str = ""
    undo: Undo | None = None


def told(done: str, *about: str) -> str:
    """The value of the cookie: what was done, and with what; what is too long is left out."""
    parts = [done, *(quote(one, safe="") for one in about)]
    fitting = [count for count in range(1, len(parts) + 1) if len(":".join(parts[:count])) <= _MOST]
    return ":".join(parts[: fitting[-1]])


def toast_of(value: str) -> Toast | None:
    """What a cookie tells; None where it is none of ours. Whatever it says, its links lead to pages of this server."""
    done, *about = value.split(":")
    name, detail = (unquote(one) for one in (*about, "", "")[:2])
    text = DONE.get(done)
    if text is None or not name:
        return None if text is None else Toast(text=text)
    if done in _OF_RUNS:
        return Toast(text=text, name=name, href=_run(name))
    if done not in _OF_SCHEDULES:
        return Toast(text=text, name=name)
    page = f"/schedules/{segment(name)}"
    return Toast(text=text, name=name, href=page, undo=_undo(done, page, detail))


def _run(selector: str) -> str:
    flow, _, number = selector.rpartition("#")
    return f"/flows/{segment(flow)}/runs/{segment(number)}"


def _undo(done: str, page: str, detail: str) -> Undo | None:
    if done == "paused" and detail:
        return Undo(action=f"{page}/resume", paused_at=detail)
    return Undo(action=f"{page}/pause", reason=detail) if done == "resumed" and detail else None
