"""Charts as geometry: what a template draws with one path for each kind of bar. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from schedulerd.domain.states import BAD, RunState
from schedulerd.operations.figures import Bar
from schedulerd.store.strips import Mark

HEIGHT: Final = 100
STEP: Final = 10
_WIDTH: Final = 8
_LEAST: Final = 3.0
_STRIP_HEIGHT: Final = 24
_NOTCH: Final = 5
_BASELINE: Final = 3.0
_NOTHING: Final = timedelta()
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_KEPT: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """Bars of what ended over time: a path for each group of states, stacked; the highest bar stands for `most`."""

    width: int
    paths: Mapping[str, str]
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """The last runs of a flow as bars: a path for each state, and how many there are of each."""

    width: int
    paths: Mapping[str, str]
    counts: Mapping[str, int]


def activity(bars: Sequence[Bar]) -> Activity:
    """Bad ones lie on the good ones, the neutral ones on top."""
    most = max((bar.total for bar in bars), default=0)
    parts: dict[str, list[str]] = {"ok": [], "bad": [], "neutral": []}
    for place, bar in enumerate(bars):
        top = float(HEIGHT)
        for group, path in parts.items():
            if count := bar.counts.get(group, 0):
                height = max(_LEAST, HEIGHT * count / most)
                top = max(0.0, top - height)
                draw = _notched if group == "bad" else _box  # it is not told by colour alone
                path.append(draw(place * STEP, top, height))
    return Activity(
        width=max(1, len(bars)) * STEP,
        paths={group: "".join(path) for group, path in parts.items() if path},
        most=most,
    )


def strip(marks: Sequence[Mark], *, now: datetime) -> Strip:
    """The newest run last. A bar is as high as its run was long; a bad one is full, with a notch: it is not colour alone."""
    if any(mark.ended_at is None for mark in marks):
        # It is another at each moment: kept, it would push out those that are asked for again.
        return _drawn(marks, now)
    return _kept(tuple(marks))


@lru_cache(_MOST_KEPT)  # of most flows it is the one that was drawn when somebody last looked
def _kept(marks: Sequence[Mark]) -> Strip:
    return _drawn(marks, _NEVER)


def _drawn(marks: Sequence[Mark], now: datetime) -> Strip:
    lengths = [mark.duration(now=now) or _NOTHING for mark in marks]
    longest = max(lengths, default=_NOTHING)
    parts: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for place, (mark, length) in enumerate(zip(marks, lengths, strict=True)):
        state = mark.shown
        counts[state] = counts.get(state, 0) + 1
        parts.setdefault(state, []).append(_bar(mark, place * STEP, length / longest if longest else 0.0))
    return Strip(
        width=max(1, len(marks)) * STEP,
        paths={state: "".join(path) for state, path in parts.items()},
        counts=counts,
    )


def _bar(mark: Mark, x: int, share: float) -> str:
    if mark.state in BAD:
        return _notched(x, 0.0, _STRIP_HEIGHT)
    if mark.state in (RunState.SKIPPED, RunState.CANCELLED):
        return _box(x, _STRIP_HEIGHT - _BASELINE, _BASELINE)
    height = max(_BASELINE, round(_STRIP_HEIGHT * share))
    return _box(x, _STRIP_HEIGHT - height, height)


def _notched(x: int, top: float, height: float) -> str:
    side, depth = _WIDTH / 2 - 1, min(_NOTCH, height / 2)
    return f"M{x} {top:.3g}h{side:g}v{depth:g}h2v-{depth:g}h{side:g}v{height:.3g}h-{_WIDTH}z"


def _box(x: int, top: float, height: float) -> str:
    return f"M{x} {top:.3g}h{_WIDTH}v{height:.3g}h-{_WIDTH}z"
