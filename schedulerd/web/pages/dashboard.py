"""`/`: how things stand: what needs attention, what runs, what comes next, and how the last hours or days went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response

from schedulerd.clock import Clock
from schedulerd.errors import Unreachable
from schedulerd.operations.figures import Bar
from schedulerd.operations.operations import Operations
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
        seen = self._operations.snapshots.take().fingerprint(every=True, agents=True)  # before what is shown
        now, (length, count) = self._clock.now(), _RANGES[span]
        end = now.replace(minute=0, second=0, microsecond=0) + _HOUR  # bars are of whole hours
        both = self._operations.figures.activity(since=end - 2 * length, until=end, bars=2 * count)
        before, bars = both[:-count], both[-count:]
        return self._pages.render(
            request,
            "dashboard.html",
            seen=seen,
            span=span,
            ranges=tuple(_RANGES),
            bars=bars,
            chart=activity(bars),
            ended=Ended.of(bars),
            before=Ended.of(before),
            **self._attention(now),
            **self._going(request),
        )

    def without_database(self, request: Request, error: Unreachable) -> Response:
        told = self._operations.daemon.status_without_database()
        return self._pages.render(
            request, "dashboard_down.html", status=503, headers={"Retry-After": "5"}, error=error, told=told
        )

    def _attention(self, now: datetime) -> dict[str, Any]:
        told = self._operations.daemon.status()
        agents = told.recorded.agents if told.recorded else ()
        return {
            "told": told,
            "problems": told.recorded.problems if told.recorded else (),
            "offline": [agent for agent in agents if not agent.is_online(now=now)],
            "drained": [agent for agent in agents if agent.drain is not None],
            "flow_count": told.recorded.flows if told.recorded else 0,
        }

    def _going(self, request: Request) -> dict[str, Any]:
        history = self._operations.history
        running = history.page(history.query("state:active", zone=None), limit=_MOST_RUNNING + 1).runs
        bad = history.page(history.query("state:bad", zone=None), limit=_LOOKED_AT).runs
        paused = history.page(history.query("state:paused", zone=None), limit=_MOST_RUNNING).runs
        names = list(dict.fromkeys(run.flow for run in bad))[:_MOST_LOOKED_AT]
        fails = failing(self._operations.figures.strips(names, count=_STREAK))
        return {
            "paused": paused,
            "failing": fails[:_MOST_FAILING],
            "failing_count": len(fails),
            "counts": history.counts(history.query("", zone=None)),
            "running": running[:_MOST_RUNNING],
            "more_running": len(running) > _MOST_RUNNING,
            "said": self._operations.log_chunks.last_lines(running[:_MOST_RUNNING]),
            "failures": grouped(bad)[:_MOST_FAILING],
            "fires": self._operations.fires.next(
                limit=_NEXT, language=self._pages.preferences(request).language
            ),
        }
