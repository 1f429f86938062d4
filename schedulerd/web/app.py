"""The web application, put together: the door, the API, the pages."""

from collections.abc import Callable, Collection
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI
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
from schedulerd.web.gatekeeper import Gatekeeper, require_admitted
from schedulerd.web.hooks import hooks
from schedulerd.web.live import Hub
from schedulerd.web.metrics import Counting, RequestCounts, metric_routes
from schedulerd.web.openapi import operation_id
from schedulerd.web.pages.activity import activity_pages
from schedulerd.web.pages.appearance import appearance
from schedulerd.web.pages.dashboard import dashboard_pages
from schedulerd.web.pages.flows import flow_pages
from schedulerd.web.pages.graphs import graph_pages
from schedulerd.web.pages.log import log_pages
from schedulerd.web.pages.reference import reference_pages
from schedulerd.web.pages.register import register_pages
from schedulerd.web.pages.run import run_pages
from schedulerd.web.pages.run_actions import run_action_pages
from schedulerd.web.pages.runs import runs_pages
from schedulerd.web.pages.schedule_editor import schedule_editor_pages
from schedulerd.web.pages.schedules import schedule_pages
from schedulerd.web.pages.settings import settings_pages
from schedulerd.web.pages.system import system_pages
from schedulerd.web.probes import probes
from schedulerd.web.problems import tell_problems
from schedulerd.web.rendering import Pages
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
    app = FastAPI(
        title="schedulerd",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=operation_id,
        dependencies=[Depends(require_admitted)],
    )
    app.add_middleware(
        GZipMiddleware, minimum_size=_LEAST_PACKED, compresslevel=_LEVEL, exclude_content_types=_NOT_PACKED
    )
    files = StaticFiles()
    pages = Pages(clock=clock, files=files, zone=zone)
    access = None if operations is None else Access(operations, pages, clock)
    app.add_middleware(
        Gatekeeper, routes=lambda: app.routes, pages=pages, access=access, monotonic=clock.monotonic
    )
    requests = RequestCounts()
    app.add_middleware(Counting, counts=requests)
    app.add_middleware(Door, hosts=hosts, monotonic=clock.monotonic)  # before the gate
    tell_problems(app, pages)
    app.include_router(files.router())
    for router in preview_routes(clock):
        app.include_router(router)
    if webhooks is not None:
        app.include_router(hooks(webhooks, clock))
    app.include_router(appearance())
    app.include_router(probes(None if operations is None else operations.daemon, clock, is_apart=is_apart))
    app.include_router(reference_routes())
    app.include_router(reference_pages(pages))
    if operations is not None and access is not None:
        for router in [*access.routers(), *resources(operations, clock, is_stopping=is_stopping)]:
            app.include_router(router)
        app.include_router(metric_routes(operations.measures, requests))
        app.include_router(dashboard_pages(operations, pages, clock))
        app.include_router(runs_pages(operations, pages))
        app.include_router(run_pages(operations, pages, clock))
        app.include_router(graph_pages(operations, pages))
        app.include_router(register_pages(operations, pages, clock))
        app.include_router(flow_pages(operations, pages, clock))
        app.include_router(schedule_editor_pages(operations, pages, clock))
        app.include_router(schedule_pages(operations, pages))
        app.include_router(system_pages(operations, pages, clock))
        app.include_router(activity_pages(operations, pages))
        app.include_router(settings_pages(operations, pages, clock))
        app.include_router(log_pages(operations, pages))
        app.include_router(run_action_pages(operations, pages))
        app.include_router(events(Hub(operations.snapshots, clock, is_stopping=is_stopping)))

    return app
