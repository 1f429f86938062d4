"""`/flows`: which flows there are, what each is, when it runs, and what its code is or was."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.flows import FlowDefinition, FlowKind
from schedulerd.domain.likeness import Likeness, Typed, typed
from schedulerd.domain.run_filters import term_text
from schedulerd.operations.flows import FlowDetails
from schedulerd.operations.operations import Operations
from schedulerd.store.strips import Mark
from schedulerd.web.api.listing import page_by_name
from schedulerd.web.charts import Strip, strip
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_PAGE: Final = 30
_FIRES: Final = 5
_RECENT: Final = 10
_WEEK: Final = timedelta(days=7)
_LONGEST_DIFF: Final = 5_000


def flow_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes."""
    router = page_router()
    views = _Views(operations, pages, clock)

    @router.get("/flows")
    def flows(request: Request, q: str = "", after: str = "") -> Response:
        return views.flows(request, q, after)

    @router.get("/flows/{flow}")
    def flow(request: Request, flow: str) -> Response:
        return views.overview(request, flow)

    @router.get("/flows/{flow}/strip")
    def strip_of(request: Request, flow: str) -> Response:
        return views.strip(request, flow)

    @router.get("/flows/{flow}/params")
    def params(request: Request, flow: str) -> Response:
        return views.params(request, flow)

    @router.get("/flows/{flow}/versions")
    def versions(request: Request, flow: str, show: str = "", against: str = "") -> Response:
        return views.versions(request, flow, show, against)

    return router


class _Views:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock

    def flows(self, request: Request, q: str, after: str) -> Response:
        seen = self._operations.snapshots.take().fingerprint(every=True)
        words = typed(q)
        found = [one.name for one in self._operations.flows.definitions() if _is_like(one, words)]
        page = page_by_name(found, str, limit=_PAGE, after=after or None, before=None)
        shown = self._operations.flows.named(page.items)
        names = [one.flow.definition.name for one in shown]
        now = self._clock.now()
        figures = self._operations.figures.of_flows(names, since=now - _WEEK, until=now)
        strips = self._operations.figures.strips(names)
        return self._pages.render(
            request,
            "flows.html",
            figures=figures,
            strips={name: strip(marks, now=now) for name, marks in strips.items()},
            q=q,
            seen=seen,
            flows=shown,
            more=page.next_cursor,
            is_first=not after,
            problems=self._operations.flows.errors(),
        )

    def overview(self, request: Request, name: str) -> Response:
        seen = self._operations.snapshots.take().fingerprint(every=True)
        details = self._operations.flows.get(name)
        history = self._operations.history
        query = history.query(term_text("flow", name), zone=None)
        return self._render(
            request,
            "flow.html",
            details,
            tab="",
            seen=seen,
            fires=self._operations.fires.next(
                name, limit=_FIRES, language=self._pages.preferences(request).language
            )
            if details.schedules.names
            else (),
            runs=history.page(query, limit=_RECENT).runs,
            bars=self._strip(details.flow.definition.name)[1],
        )

    def strip(self, request: Request, name: str) -> Response:
        """The last runs of a flow as a list, which a script puts in the place of their picture."""
        known = self._operations.flows.get(name).flow.definition.name
        marks, bars = self._strip(known)
        return self._pages.render(request, "flow_strip.html", name=known, marks=marks, bars=bars)

    def _strip(self, name: str) -> tuple[Sequence[Mark], Strip]:
        marks = self._operations.figures.strips([name])[name]
        return marks, strip(marks, now=self._clock.now())

    def params(self, request: Request, name: str) -> Response:
        details = self._operations.flows.get(name)
        schema = details.flow.definition.parameters
        text = json.dumps(dict(schema), indent=2, ensure_ascii=False)
        return self._render(request, "flow_params.html", details, tab="params", text=text)

    def versions(self, request: Request, name: str, show: str, against: str) -> Response:
        details = self._operations.flows.get(name)
        found = self._operations.flows.versions(name)
        known = [one.hash for one in found]
        chosen = show if show in known else next(iter(known), "")
        other = against if against in known and against != chosen else ""
        source = self._operations.flows.source(chosen) if chosen else ""
        return self._render(
            request,
            "flow_versions.html",
            details,
            tab="versions",
            versions=found,
            chosen=chosen,
            against=other,
            lines=_diff(self._operations.flows.source(other), source) if other else None,
            source=source,
        )

    def _render(self, request: Request, template: str, details: FlowDetails, **values: Any) -> Response:
        return self._pages.render(request, template, **flow_values(details), **values)


def flow_values(details: FlowDetails) -> dict[str, Any]:
    """For the template `flow_base.html`."""
    definition = details.flow.definition
    return {
        "details": details,
        "flow": details.flow,
        "definition": definition,
        "is_command": definition.kind is FlowKind.COMMAND,
    }


def _is_like(definition: FlowDefinition, words: Typed) -> bool:
    """Is each word in its name, its description or one of its tags?"""
    text = " ".join((definition.name, definition.description, *definition.tags))
    return words.likeness(text) is not Likeness.NONE


def _diff(was: str, now: str) -> Sequence[Mapping[str, str]]:
    """The lines that differ, with some around them."""
    import difflib  # seldom asked for

    found = difflib.unified_diff(
        was.splitlines()[:_LONGEST_DIFF], now.splitlines()[:_LONGEST_DIFF], lineterm="", n=4
    )
    return [
        {"kind": {"+": "added", "-": "removed", "@": "place"}.get(line[:1], ""), "text": line}
        for line in found
    ][2:]
