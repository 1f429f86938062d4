"""URLs of outside monitors that are called when a run of a schedule starts and ends. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from schedulerd.domain.entries import Entry
from schedulerd.domain.states import BAD, RunState


class Beat(StrEnum):
    """What a monitor is told."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


OF_STATE: Final[Mapping[RunState, Beat]] = {
    RunState.RUNNING: Beat.START,
    RunState.COMPLETED: Beat.SUCCESS,
    **dict.fromkeys(BAD, Beat.FAILURE),
}
"""What it is told when a run has come to a state. Of one that was cancelled it hears nothing, and its silence tells."""

_EXAMPLE: Final = 'heartbeat = "https://hc-ping.com/uuid"'
_LONGEST: Final = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """Where a monitor listens; None: it is not told of that."""

    success: str | None = None
    failure: str | None = None
    start: str | None = None

    def url(self, beat: Beat) -> str | None:
        """Where it is told of this."""
        found: str | None = getattr(self, beat.value)
        return found

    def as_json(self) -> dict[str, str]:
        """For the database, and for `from_json`."""
        return {beat.value: url for beat in Beat if (url := self.url(beat)) is not None}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `as_json` said."""
        return cls(**{beat.value: said[beat.value] for beat in Beat if beat.value in said})


def heartbeat_of(entry: Entry) -> Heartbeat | None:
    """What a schedule says of it, one URL for success, or a table. Raises `BadEntry`, which never shows the URL."""
    if not entry.has("heartbeat"):
        return None
    value = entry.values["heartbeat"]
    table = value if isinstance(value, dict) else {Beat.SUCCESS.value: value}
    for key in table:
        if key not in list(Beat):
            raise entry.wrong("heartbeat", f"`heartbeat` has {', '.join(Beat)}, and no {key!r}")
    if not table:
        raise entry.wrong("heartbeat", "`heartbeat` is empty", mend=f"write {_EXAMPLE}")
    return Heartbeat(**{key: _url(entry, url) for key, url in table.items()})


def _url(entry: Entry, url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "${")):
        raise entry.wrong(
            "heartbeat", f"`heartbeat` must be a URL with http:// or https://, as in {_EXAMPLE}"
        )
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST:
        raise entry.wrong("heartbeat", f"`heartbeat` must be a URL of at most {_LONGEST} plain characters")
    return url
