"""`/`: how things stand: what needs attention, what runs, what comes next, and how the last hours or days went."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.tallies import Figures
from schedulerd.errors import Unreachable
from schedulerd.operations.operations import Operations
from schedulerd.web.attention import failing, grouped, is_offline
from schedulerd.web.charts import activity
from schedulerd.web.rendering import Pages

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
_STREAK: Final = 20


def dashboard_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The route."""
    router = APIRouter(include_in_schema=False)
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
        now, length = self._clock.now(), _RANGES[span][0]
        figures = self._operations.figures
        bars = figures.activity(since=now - length, until=now, bars=_RANGES[span][1])
        return self._pages.render(
            request,
            "dashboard.html",
            seen=self._operations.snapshots.take().fingerprint(every=True),
            span=span,
            ranges=tuple(_RANGES),
            bars=bars,
            chart=activity(bars),
            ended=_change(
                figures.total(since=now - length, until=now),
                figures.total(since=now - 2 * length, until=now - length),
            ),
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
            "offline": [agent for agent in agents if is_offline(agent, now=now)],
            "flow_count": told.recorded.flows if told.recorded else 0,
        }

    def _going(self, request: Request) -> dict[str, Any]:
        history = self._operations.history
        running = history.page(history.query("state:active", zone=None), limit=_MOST_RUNNING + 1).runs
        bad = history.page(history.query("state:bad", zone=None), limit=_LOOKED_AT).runs
        fails = failing(self._operations.figures.strips(sorted({run.flow for run in bad}), count=_STREAK))
        return {
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


def _change(now: Figures, before: Figures) -> dict[str, Any]:
    return {"now": now, "before": before}
