"""The web application, put together: the door, the API, the pages."""

from collections.abc import Callable, Collection, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

from schedulerd.clock import Clock
from schedulerd.operations.operations import Operations
from schedulerd.operations.webhooks import Webhooks
from schedulerd.version import __version__
from schedulerd.web.access import Access
from schedulerd.web.api.reference import reference_routes
from schedulerd.web.api.resources import resources
from schedulerd.web.api.schedules import preview_routes
from schedulerd.web.door import Door
from schedulerd.web.events import events
from schedulerd.web.gatekeeper import Gatekeeper
from schedulerd.web.hooks import hooks
from schedulerd.web.live import Hub
from schedulerd.web.metrics import Counting, RequestCounts, metric_routes
from schedulerd.web.pages.activity import activity_pages
from schedulerd.web.pages.agents import agent_pages
from schedulerd.web.pages.appearance import appearance
from schedulerd.web.pages.dashboard import dashboard_pages
from schedulerd.web.pages.flows import flow_pages
from schedulerd.web.pages.graphs import graph_pages
from schedulerd.web.pages.log import log_pages
from schedulerd.web.pages.palette import palette_pages
from schedulerd.web.pages.reference import reference_pages
from schedulerd.web.pages.register import register_pages
from schedulerd.web.pages.run import run_pages
from schedulerd.web.pages.run_actions import run_action_pages
from schedulerd.web.pages.run_bulk import run_bulk_pages
from schedulerd.web.pages.runs import runs_pages
from schedulerd.web.pages.schedule_editor import schedule_editor_pages
from schedulerd.web.pages.schedules import schedule_pages
from schedulerd.web.pages.settings import settings_pages
from schedulerd.web.pages.system import system_pages
from schedulerd.web.pages.users import user_pages
from schedulerd.web.probes import probes
from schedulerd.web.problems import tell_problems
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import require_admitted
from schedulerd.web.static_files import StaticFiles

_UTC: Final = ZoneInfo("UTC")
_LEAST_PACKED: Final = 1_024
_LEVEL: Final = 4
# Pages are; answers of the API have strong ETags, which are of one form of a body.
_NOT_PACKED: Final = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/*")


def make_app(
    *,
    hosts: Collection[str],
    clock: Clock,
    operations: Operations | None = None,
    webhooks: Webhooks | None = None,
    zone: ZoneInfo = _UTC,
    is_stopping: Callable[[], bool] = lambda: False,
    is_apart: bool = False,
) -> FastAPI:
    """The application. It answers to `hosts` only. Without `operations` it has no history to show, and lets nobody in; without `webhooks` none
    can be called. `zone` is that of readers whose own is not known. Streams end when it `is_stopping`. One that `is_apart` is no daemon's, and does not die with one.
    """
    files = StaticFiles()
    pages = Pages(clock=clock, files=files, zone=zone)
    requests = RequestCounts()
    access = None if operations is None else Access(operations, pages, clock)
    routers = [
        files.router(),
        *preview_routes(clock),
        appearance(),
        probes(None if operations is None else operations.daemon, clock, is_apart=is_apart),
        reference_routes(),
        reference_pages(pages),
    ]
    if webhooks is not None:
        routers.append(hooks(webhooks, clock))
    if operations is not None and access is not None:
        routers += [*access.routers(), *resources(operations, clock, is_stopping=is_stopping)]
        routers += _pages(operations, pages, clock)
        routers.append(metric_routes(operations.measures, requests))
        routers.append(events(Hub(operations.snapshots, clock, is_stopping=is_stopping)))
    app = FastAPI(
        title="schedulerd",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(require_admitted)],  # of what is added later
        # To include a router would make each of its routes, with its models, a second time.
        routes=[route for router in routers for route in router.routes],
    )
    app.add_middleware(
        GZipMiddleware, minimum_size=_LEAST_PACKED, compresslevel=_LEVEL, exclude_content_types=_NOT_PACKED
    )
    app.add_middleware(
        Gatekeeper, routes=lambda: app.routes, pages=pages, access=access, monotonic=clock.monotonic
    )
    app.add_middleware(Counting, counts=requests)
    app.add_middleware(Door, hosts=hosts, monotonic=clock.monotonic)  # before the gate
    tell_problems(app, pages)
    return app


def _pages(operations: Operations, pages: Pages, clock: Clock) -> Iterator[APIRouter]:
    yield dashboard_pages(operations, pages, clock)
    yield runs_pages(operations, pages)
    yield run_bulk_pages(operations, pages)
    yield run_pages(operations, pages, clock)
    yield graph_pages(operations, pages)
    yield register_pages(operations, pages, clock)
    yield flow_pages(operations, pages, clock)
    yield schedule_editor_pages(operations, pages, clock)
    yield schedule_pages(operations, pages)
    yield agent_pages(operations, pages)
    yield system_pages(operations, pages)
    yield activity_pages(operations, pages)
    yield palette_pages(operations, pages, clock)
    yield settings_pages(operations, pages, clock)
    yield user_pages(operations, pages)
    yield log_pages(operations, pages)
    yield run_action_pages(operations, pages)
