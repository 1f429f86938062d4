"""`/healthz` and `/readyz`: open to everybody, so each says one word and nothing else."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from schedulerd.clock import Clock
from schedulerd.domain.health import TroubleKind
from schedulerd.errors import Unreachable
from schedulerd.operations.daemon import HANGS, STOPPED, Daemon
from schedulerd.web.routers import page_router


def probes(daemon: Daemon | None, clock: Clock, *, is_apart: bool) -> APIRouter:
    """The routes. A process that `is_apart` lives as long as it answers; any other hangs with its daemon."""
    router = page_router()

    @router.get("/healthz")
    async def healthz() -> PlainTextResponse:
        why = "" if daemon is None or is_apart else daemon.standstill()
        return _word(why if why == HANGS else "", well="ok")

    @router.get("/readyz")
    def readyz() -> PlainTextResponse:
        why = STOPPED if daemon is None else daemon.standstill()
        if daemon is not None and is_apart and why == STOPPED:
            why = _of_agents(daemon, clock)
        return _word(why, well="ready")

    return router


def _of_agents(daemon: Daemon, clock: Clock) -> str:
    """Why no runs are started, where the daemon is on another machine: its agent says in the database how it does."""
    try:
        agents, now = daemon.agents(), clock.now()
    except Unreachable:
        return "database"
    living = [one for one in agents if one.is_online(now=now)]
    if any(one.drain is None and one.status.get("ready") for one in living):
        return ""
    return TroubleKind.DRAIN if any(one.drain is not None for one in living) else STOPPED


def _word(why_not: str, *, well: str) -> PlainTextResponse:
    return PlainTextResponse(f"{why_not or well}\n", 503 if why_not else 200)
