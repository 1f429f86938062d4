"""Every page that there is, and where it is found in the gallery: pictures, route walk and accessibility go by it."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.web.browser.gallery import Gallery

PAGES: Final[Mapping[str, Callable[[Gallery], str]]] = {
    "dashboard": lambda _: "/",
    "runs": lambda _: "/runs",
    "runs-bad": lambda _: "/runs?q=state:bad",
    "runs-none": lambda _: "/runs?q=nothing-like-it",
    "runs-wrong-filter": lambda _: "/runs?q=stat:bad",
    "flows": lambda _: "/flows",
    "flow": lambda _: "/flows/etl",
    "flow-graph": lambda _: "/flows/etl/graph",
    "flow-params": lambda _: "/flows/etl/params",
    "flow-versions": lambda _: "/flows/etl/versions",
    "schedules": lambda _: "/schedules",
    "schedule": lambda _: "/schedules/nightly",
    "register": lambda _: "/flows/new",
    "schedule-new": lambda _: "/schedules/new?flow=etl&kind=cron&cron=30+2+*+*+*&timezone=Europe/Berlin",
    "schedule-edit": lambda _: "/schedules/nightly/edit",
    "schedule-delete": lambda _: "/schedules/nightly/delete",
    "register-crontab": lambda _: "/flows/new/crontab",
    "register-file": lambda _: "/flows/new/file",
    "agents": lambda _: "/agents",
    "agent": lambda _: "/agents/agent-1",
    "agent-drained": lambda _: "/agents/jeju-3",
    "agent-drain": lambda _: "/agents/agent-1/drain",
    "system": lambda _: "/system",
    "run-failed": lambda gallery: f"/runs/{gallery.failed.id}",
    "run-running": lambda gallery: f"/runs/{gallery.running.id}",
    "run-graph": lambda gallery: f"/runs/{gallery.failed.id}/graph",
    "run-graph-running": lambda gallery: f"/runs/{gallery.running.id}/graph",
    "run-moves": lambda gallery: f"/runs/{gallery.failed.id}/moves",
    "run-params": lambda gallery: f"/runs/{gallery.failed.id}/params",
    "run-result": lambda gallery: f"/runs/{gallery.failed.id}/result",
    "run-cancel": lambda gallery: f"/runs/{gallery.running.id}/cancel",
    "run-kill": lambda gallery: f"/runs/{gallery.running.id}/kill",
    "run-retry": lambda gallery: f"/runs/{gallery.failed.id}/retry",
    "run-again": lambda gallery: f"/runs/{gallery.failed.id}/rerun",
    "flow-run": lambda _: "/flows/etl/run",
    "log": lambda gallery: f"/runs/{gallery.failed.id}/logs",
    "activity": lambda _: "/activity",
    "settings": lambda _: "/settings",
    "users": lambda _: "/settings/users",
    "user": lambda _: "/settings/users/minji",
    "runs-bulk": lambda gallery: f"/runs/bulk/cancel?run={gallery.running.id}&run={gallery.failed.id}",
    "runs-bulk-retry": lambda gallery: f"/runs/bulk/retry?run={gallery.running.id}&run={gallery.failed.id}",
    "palette": lambda _: "/palette?q=etl",
    "login": lambda _: "/login",
    "enter": lambda _: "/enter/a-code",
    "api": lambda _: "/api/docs",
    "problems": lambda _: "/problems",
    "problem": lambda _: "/problems/validation-error",
    "not-found": lambda _: "/nowhere",
}
"""The name of each, and its address."""

ERRORS: Final[Mapping[str, int]] = {
    "not-found": 404,
    "runs-wrong-filter": 400,
    "schedule-edit": 409,
    "schedule-delete": 409,
}
"""The status of those that are not found, or not understood; a schedule whose file is not there cannot be edited."""
