"""`/metrics`: figures in the text format of Prometheus (version 0.0.4), behind the gate."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schedulerd.domain.states import FINAL, LIVE, RunState
from schedulerd.operations.measures import Measured, Measures
from schedulerd.version import __version__
from schedulerd.web.routers import page_router

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Metric(NamedTuple):
    """A metric with its samples: labels and value of each."""

    name: str
    kind: str
    meaning: str
    samples: list[tuple[Mapping[str, str], float]]


class RequestCounts:
    """How many requests this process has answered, by method and class of status."""

    def __init__(self) -> None:
        self.by_answer: Final[Counter[tuple[str, str]]] = Counter()

    def note(self, method: str, status: int) -> None:
        """One more."""
        self.by_answer[method if method in _METHODS else "other", f"{status // 100}xx"] += 1


class Counting:
    """Counts what is answered."""

    def __init__(self, app: ASGIApp, *, counts: RequestCounts) -> None:
        self._app: Final = app
        self._counts: Final = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts.note(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, send_on)


def metric_routes(measures: Measures, requests: RequestCounts) -> APIRouter:
    """The route."""
    router = page_router()

    @router.get("/metrics")
    def metrics() -> PlainTextResponse:
        told = [*_metrics(measures.take()), _requests(requests)]
        return PlainTextResponse("".join(map(as_text, told)), media_type=MEDIA_TYPE)

    return router


def as_text(metric: Metric) -> str:
    """The metric in the text format."""
    lines = [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}"]
    for labels, value in metric.samples:
        told = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        lines.append(f"{metric.name}{{{told}}} {value:.15g}" if told else f"{metric.name} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _metrics(found: Measured) -> Iterator[Metric]:
    yield Metric(
        "schedulerd_build_info", "gauge", "The version of this server.", [({"version": __version__}, 1)]
    )
    yield Metric(
        "schedulerd_runs_ended_total",
        "counter",
        "Runs that ended, by state; those of the last two years.",
        _by_state(FINAL, found.ended),
    )
    yield Metric(
        "schedulerd_runs",
        "gauge",
        "Runs that wait (scheduled) or go on, by state; up to 1,000 of each kind.",
        _by_state(LIVE | {RunState.SCHEDULED}, found.going),
    )
    yield Metric(
        "schedulerd_scheduler_lag_seconds",
        "gauge",
        "For how long a schedule has been due that was not decided yet.",
        [({}, found.lag.total_seconds())],
    )
    yield Metric("schedulerd_database_bytes", "gauge", "Size of the database.", [({}, found.database_bytes)])
    yield from _of_agents(found)


def _by_state(
    states: frozenset[RunState], counts: Mapping[RunState, int]
) -> list[tuple[Mapping[str, str], float]]:
    return [({"state": state.value}, counts.get(state, 0)) for state in RunState if state in states]


def _of_agents(found: Measured) -> Iterator[Metric]:
    now, agents = found.at, found.agents
    yield Metric(
        "schedulerd_agent_up",
        "gauge",
        "Whether an agent gave a sign of life lately.",
        [({"agent": one.name}, one.is_online(now=now)) for one in agents],
    )
    yield Metric(
        "schedulerd_agent_beat_age_seconds",
        "gauge",
        "How long ago the last sign of life of an agent was.",
        [({"agent": one.name}, max(0.0, (now - one.beat_at).total_seconds())) for one in agents],
    )
    yield Metric(
        "schedulerd_agent_ready",
        "gauge",
        "Whether an agent starts runs.",
        [({"agent": one.name}, bool(one.status.get("ready"))) for one in agents],
    )
    yield Metric(
        "schedulerd_agent_drained",
        "gauge",
        "Whether somebody wants an agent to start no runs.",
        [({"agent": one.name}, one.drain is not None) for one in agents],
    )
    yield Metric(
        "schedulerd_agent_ticks_total",
        "counter",
        "Ticks of an agent since its start.",
        [({"agent": one.name}, one.status["ticks"]) for one in agents if "ticks" in one.status],
    )


def _requests(requests: RequestCounts) -> Metric:
    return Metric(
        "schedulerd_web_requests_total",
        "counter",
        "Requests that this web process has answered.",
        [
            ({"method": method, "status": status}, count)
            for (method, status), count in sorted(requests.by_answer.items())
        ],
    )
