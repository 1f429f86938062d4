"""`/`: how things stand: what needs attention, what runs, what comes next, and how the last hours or days went."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.ids import RunKey
from schedulerd.domain.snapshots import Snapshot
from schedulerd.domain.states import ACTIVE, GROUPS, RunState
from schedulerd.errors import Unreachable
from schedulerd.operations.figures import Bar
from schedulerd.operations.operations import Operations
from schedulerd.store.history import COUNTED, Count
from schedulerd.web.attention import failing, grouped
from schedulerd.web.charts import activity
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

Range = Literal["24h", "7d", "30d"]
_RANGES: Final[Mapping[Range, tuple[timedelta, int]]] = {
    "24h": (timedelta(hours=24), 24),
    "7d": (timedelta(days=7), 56),
    "30d": (timedelta(days=30), 60),
}
_MOST_RUNNING: Final = 10
_MOST_FAILING: Final = 10
_LOOKED_AT: Final = 50
_NEXT: Final = 8
_HOUR: Final = timedelta(hours=1)
_STREAK: Final = 10
_MOST_LOOKED_AT: Final = 25
_COUNTED: Final = {group: GROUPS[group] for group in ("active", "waiting")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How many runs ended in a stretch of time, well and badly."""

    ok: int
    bad: int

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> "Ended":
        """All that these bars stand for."""
        return cls(ok=sum(bar.counts["ok"] for bar in bars), bad=sum(bar.counts["bad"] for bar in bars))

    @property
    def share(self) -> float | None:
        """The share that completed; None where nothing ended."""
        total = self.ok + self.bad
        return self.ok / total if total else None


def dashboard_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The route."""
    router = page_router()
    view = _View(operations, pages, clock)

    @router.get("/")
    def dashboard(request: Request, range: Range = "24h") -> Response:  # noqa: A002 - the name in the address
        try:
            return view.page(request, range)
        except Unreachable as error:
            return view.without_database(request, error)

    return router


class _View:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock

    def page(self, request: Request, span: Range) -> Response:
        seen = self._operations.snapshots.take()  # before what is shown
        now, (length, count) = self._clock.now(), _RANGES[span]
        end = now.replace(minute=0, second=0, microsecond=0) + _HOUR  # bars are of whole hours
        both = self._operations.figures.activity(since=end - 2 * length, until=end, bars=2 * count)
        before, bars = both[:-count], both[-count:]
        return self._pages.render(
            request,
            "dashboard.html",
            seen=seen.fingerprint(every=True, agents=True),
            span=span,
            ranges=tuple(_RANGES),
            bars=bars,
            chart=activity(bars),
            ended=Ended.of(bars),
            before=Ended.of(before),
            **self._attention(seen, now),
            **self._going(request, seen),
        )

    def without_database(self, request: Request, error: Unreachable) -> Response:
        told = self._operations.daemon.status_without_database()
        return self._pages.render(
            request, "dashboard_down.html", status=503, headers={"Retry-After": "5"}, error=error, told=told
        )

    def _attention(self, seen: Snapshot, now: datetime) -> dict[str, Any]:
        told = self._operations.daemon.status_at(seen)
        agents = told.recorded.agents if told.recorded else ()
        return {
            "told": told,
            "problems": told.recorded.problems if told.recorded else (),
            "offline": [agent for agent in agents if not agent.is_online(now=now)],
            "drained": [agent for agent in agents if agent.drain is not None],
            "flow_count": told.recorded.flows if told.recorded else 0,
        }

    def _going(self, request: Request, seen: Snapshot) -> dict[str, Any]:
        history = self._operations.history
        newest = _newest(seen, ACTIVE)[: _MOST_RUNNING + 1]
        waiting_for_word = _newest(seen, {RunState.PAUSED})[:_MOST_RUNNING]
        going = [run for run in history.of_keys({*newest, *waiting_for_word}) if run.state in ACTIVE]
        running = [run for run in going if run.key in newest]
        bad = history.page(history.query("state:bad", zone=None), limit=_LOOKED_AT).runs
        flows = dict(islice({run.flow: run.flow_key for run in bad}.items(), _MOST_LOOKED_AT))
        fails = failing(self._operations.figures.strips_of(flows, count=_STREAK))
        return {
            "paused": [run for run in going if run.state is RunState.PAUSED],
            "failing": fails[:_MOST_FAILING],
            "failing_count": len(fails),
            "counts": {group: _count(seen, states) for group, states in _COUNTED.items()},
            "running": running[:_MOST_RUNNING],
            "more_running": len(running) > _MOST_RUNNING,
            "said": self._operations.log_chunks.last_lines(running[:_MOST_RUNNING]),
            "failures": grouped(bad)[:_MOST_FAILING],
            "fires": self._operations.fires.next(
                limit=_NEXT, language=self._pages.preferences(request).language
            ),
        }


def _newest(seen: Snapshot, states: Collection[RunState]) -> list[RunKey]:
    return sorted((key for key, mark in seen.going.items() if mark.state in states), reverse=True)


def _count(seen: Snapshot, states: Collection[RunState]) -> Count:
    """How many of these there are, as lists of runs count: a moment has no more of them than that either."""
    number = len(_newest(seen, states))
    return Count(number=min(number, COUNTED), at_least=number >= COUNTED)
