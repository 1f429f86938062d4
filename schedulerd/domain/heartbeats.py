"""URLs of outside monitors that are called when a run of a schedule starts and ends. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NewType

from schedulerd.domain.ids import ScheduleKey
from schedulerd.domain.shown_urls import shown_url
from schedulerd.domain.states import BAD, RunState

PingKey = NewType("PingKey", int)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """Where a monitor listens; None: it is not told of that."""

    # Such a URL is a secret: whoever has it can speak for the run.
    success: str | None = field(default=None, repr=False)
    failure: str | None = field(default=None, repr=False)
    start: str | None = field(default=None, repr=False)

    def url(self, beat: Beat) -> str | None:
        """Where it is told of this."""
        found: str | None = getattr(self, beat.value)
        return found

    def as_json(self) -> dict[str, str]:
        """For the database, and for `from_json`."""
        return {beat.value: url for beat in Beat if (url := self.url(beat)) is not None}

    def shown(self) -> dict[str, str]:
        """As much of it as may be seen."""
        return {beat: shown_url(url) for beat, url in self.as_json().items()}


def read_heartbeat(said: Mapping[str, Any] | None) -> Heartbeat | None:
    """What `Heartbeat.as_json` said; None for None."""
    return None if said is None else Heartbeat(**{beat: said[beat] for beat in Beat if beat in said})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    """That a monitor is to be told of a run. `url` is as it was written, None where the schedule has none for it now.

    After `tries` that failed, the last with this `answer`, it is tried again at `next_at`.
    """

    key: PingKey
    schedule_key: ScheduleKey
    schedule: str
    run: str
    beat: Beat
    at: datetime
    url: str | None = field(repr=False)
    tries: int
    next_at: datetime
    answer: str
