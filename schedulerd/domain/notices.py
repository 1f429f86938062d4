"""What people can be told of: the kinds of notices, and which rule wants which. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.states import RunState


class NoticeKind(StrEnum):
    """What a notice tells of."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    RETRYING = "retrying"
    PAUSED = "paused"
    RECOVERED = "recovered"
    MISSED = "missed"
    LATE = "late"
    SLOW = "slow"
    BROKEN = "broken"
    MENDED = "mended"
    TROUBLE = "trouble"
    TEST = "test"


OF_STATE: Final[Mapping[RunState, NoticeKind]] = {
    state: NoticeKind(state.value)
    for state in (
        RunState.FAILED,
        RunState.TIMED_OUT,
        RunState.CRASHED,
        RunState.CANCELLED,
        RunState.COMPLETED,
        RunState.RETRYING,
        RunState.PAUSED,
    )
}
"""The notice that a run has come to a state, for those of which there is one."""

MISSES: Final[Mapping[SkipReason, str]] = {
    SkipReason.MISFIRE: "nobody started it in time, and it is not made up for",
    SkipReason.COALESCED: "nobody started it in time, and a newer one runs in its place",
    SkipReason.WINDOW: "nobody started it in time, too long ago to be made up for",
    SkipReason.LIMIT: "nobody started it in time, and more were missed than are made up for",
    SkipReason.OVERLAP: "the run before it was still going on",
    SkipReason.QUEUE_FULL: "as many runs as may wait were waiting already",
}
"""Why a due time is `missed`, in words. The other reasons are what somebody decided: a pause, a blackout, an edit."""

USUAL: Final = frozenset(
    {
        NoticeKind.FAILED,
        NoticeKind.TIMED_OUT,
        NoticeKind.CRASHED,
        NoticeKind.RECOVERED,
        NoticeKind.MISSED,
        NoticeKind.BROKEN,
        NoticeKind.TROUBLE,
    }
)
"""What a rule tells of that does not say."""

_EVERYTHING: Final = ("*",)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeRule:
    """Who is told of what, and how often; where to is no matter of it.

    `flows` are patterns of names; with `tags` a flow must have one of them. What happens within `group` is told in one
    message, and there are at most `limit` messages in an hour. A run is late that has not started `late_after` its due
    time, and slow when it takes `slow_factor` times as long as its flow usually does, and at least `slow_least`.
    """

    name: str
    on: frozenset[NoticeKind] = USUAL
    flows: tuple[str, ...] = _EVERYTHING
    tags: frozenset[str] = frozenset()
    group: timedelta = timedelta(seconds=10)
    limit: int = 20
    late_after: timedelta = timedelta(minutes=5)
    slow_factor: float = 3.0
    slow_least: timedelta = timedelta(minutes=1)
    log_lines: int = 15

    @property
    def is_narrow(self) -> bool:
        """Is it about some flows only?"""
        return bool(self.tags) or "*" not in self.flows

    def wants(self, happening: "Happening") -> bool:
        """Is it to be told by this rule?"""
        if happening.kind not in self.on or happening.unless in self.on:
            return False
        if not self._is_enough(happening):
            return False
        if happening.kind is NoticeKind.TROUBLE or not self.is_narrow:
            return True  # trouble of the daemon concerns every flow
        return any(self.is_about(flow, tags) for flow, tags in happening.flows.items())

    def _is_enough(self, happening: "Happening") -> bool:
        """Is what is late, or slow, so much so that it is told?"""
        if happening.kind is NoticeKind.LATE:
            return happening.delay >= self.late_after
        if happening.kind is NoticeKind.SLOW:
            return happening.delay >= max(self.slow_least, happening.usual * self.slow_factor)
        return True

    def is_about(self, flow: str, tags: Collection[str]) -> bool:
        """Is it about this flow?"""
        if self.tags and self.tags.isdisjoint(tags):
            return False
        return any(fnmatchcase(flow, pattern) for pattern in self.flows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something that may be told: of which flows, with their tags, and in words.

    `subject` is what it happened to: a run, a schedule, a file. `mark` names what is told once only, however often it is
    found. A rule that wants the kind `unless` is told of that instead. `delay` is how late it is, or how long it takes
    where its flow takes so long as `usual`.
    """

    kind: NoticeKind
    at: datetime
    subject: str
    words: str = ""
    flows: Mapping[str, Collection[str]] = field(default_factory=dict)
    run: RunKey | None = None
    mark: str | None = None
    unless: NoticeKind | None = None
    delay: timedelta = timedelta()
    usual: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A happening that is to be told by a rule. `key` None: it is in no database yet."""

    kind: NoticeKind
    at: datetime
    subject: str
    words: str = ""
    run: RunKey | None = None
    key: int | None = None


def notice_of(happening: Happening) -> Notice:
    """The notice of what happened."""
    return Notice(
        kind=happening.kind,
        at=happening.at,
        subject=happening.subject,
        words=happening.words,
        run=happening.run,
    )
