"""`/runs`: the history, newest first, a page at a time, by a filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from schedulerd.domain.ids import RunKey
from schedulerd.domain.run_filters import KEYS, terms
from schedulerd.domain.run_queries import RunQuery, cursor_at, read_cursor
from schedulerd.errors import BadExpression, NotFound
from schedulerd.operations.history import History, HistoryPage
from schedulerd.operations.operations import Operations
from schedulerd.store.history import Count
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_MOST_NEWER: Final = 99
_GROUPS: Final = ("active", "waiting", "bad", "ok", "neutral")
_STATE: Final = "state"
_ALL: Final = "all"
Text = Annotated[str, Query(max_length=2_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address of the page says. `top`: the first run to be shown, though newer ones may have come."""

    q: str
    after: str
    before: str
    top: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """A group of states, or all with no name, and the filter that shows it."""

    group: str
    q: str
    count: Count | None
    is_current: bool


def runs_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()

    @router.get("/runs")
    def runs(request: Request, q: Text = "", after: str = "", before: str = "", top: str = "") -> Response:
        seen = operations.snapshots.take().fingerprint(every=True)
        asked = Asked(q=q, after=after, before=before, top=top)
        shown = _shown(operations.history, asked, zone=pages.preferences(request).zone)
        return pages.render(
            request,
            "runs.html",
            status=200 if shown["trouble"] is None else 400,
            seen=seen,
            q=q,
            keys=KEYS,
            **shown,
        )

    return router


def _shown(history: History, asked: Asked, *, zone: Any) -> Mapping[str, Any]:
    """What the page shows, or why the filter is not one."""
    try:
        query = history.query(asked.q, zone=zone)
        page, newer = _page(history, query, asked)
        counts = history.counts(query)
    except BadExpression as error:
        return {**_NOTHING, "trouble": {"reason": error.reason, "caret": error.caret()}}
    except NotFound as error:
        return {**_NOTHING, "trouble": {"reason": error.message, "caret": ""}}
    return {"page": page, "newer": newer, "tabs": _tabs(asked.q, counts), "trouble": None}


_NOTHING: Final[Mapping[str, Any]] = {"page": None, "newer": 0, "tabs": ()}


def _tabs(q: str, counts: Mapping[str, Count]) -> list[Tab]:
    """A way to each group of states, with the rest of the filter as it is."""
    found = list(terms(q))
    states = [term for term in found if term.key == _STATE]
    rest = " ".join(q[term.start : term.end] for term in found if term.key != _STATE)
    current = ",".join(states[0].values) if len(states) == 1 else "" if states else _ALL
    return [
        Tab(group="", q=rest, count=None, is_current=current == _ALL),
        *(
            Tab(
                group=group,
                q=f"{_STATE}:{group} {rest}".strip(),
                count=counts.get(group),
                is_current=current == group,
            )
            for group in _GROUPS
        ),
    ]


def _page(history: History, query: RunQuery, asked: Asked) -> tuple[HistoryPage, int]:
    """The page, and how many runs are newer than its `top`, up to 100."""
    if not asked.top:
        return history.page(query, after=asked.after or None, before=asked.before or None), 0
    first = read_cursor(query, asked.top)
    page = history.page(query, after=cursor_at(query, RunKey(first + 1)))
    return page, len(history.page(query, before=asked.top, limit=_MOST_NEWER + 1).runs)
