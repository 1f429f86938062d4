"""A database with a little of everything, and the API over it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Role, Scope
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.schedules import Blackout, BlackoutWindow, Cron, Webhook
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import NOW, a_command, a_file, a_flow, a_schedule
from tests.fakes import FakeClock
from tests.web.entering import ROOT, QuickPasswords, cookie_for, visitor

API: Final = "/api/v1"
SECRET: Final = "canary-9f31c7aa02"


class ApiScene:
    """Flows, schedules, an agent, variables, a secret and a limit; and what calls the API."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database: Final = database
        self.clock: Final = FakeClock(NOW)
        folder = state_dir / "schedules"
        folder.mkdir()
        places = Places(reader=DefinitionReader(timezone="UTC", pools=()), schedules=folder)
        self.asked: Final = Operations(
            database, state_dir=state_dir, clock=self.clock, places=places, passwords=QuickPasswords()
        )
        self._fill()
        self.app: Final = make_app(
            hosts={"localhost"}, clock=self.clock, operations=self.asked, webhooks=self.asked.webhooks
        )
        self.client: Final = self.visitor()

    def visitor(self) -> TestClient:
        """Somebody who may do everything."""
        return visitor(self.app, cookie_for(self.asked, Role.ADMIN))

    def token(self) -> str:
        """What lets a program do everything."""
        life = timedelta(days=1)
        return self.asked.api_tokens.create("all", by=ROOT, scopes=[Scope.ADMIN], life=life).text

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__()

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(API + path, headers=_named(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Response:
        given = {} if body is None else {"json": body}
        return self.client.post(API + path, headers=_named(headers), **given)

    def put(self, path: str, body: Any, **headers: str) -> Response:
        return self.client.put(API + path, json=body, headers=_named(headers))

    def delete(self, path: str, **headers: str) -> Response:
        return self.client.delete(API + path, headers=_named(headers))

    def _fill(self) -> None:
        extract = a_flow(
            "etl", tags=("prod", "nightly"), tasks=("extract", "transform", "load"), edges=((0, 1), (1, 2))
        )
        others = [a_flow(f"report-{number}", tags=("prod",)) for number in range(5)]
        blackout = Blackout(windows=(BlackoutWindow(expression="0 2 * * *", duration=timedelta(hours=1)),))
        with self.database.write() as tx:
            tx.flows.put_file(a_file(extract, *others), now=NOW)
            command = tx.flows.put_command(a_command("dump"), now=NOW)
            etl = tx.flows.get("etl").key
            due = NOW + timedelta(hours=1)
            for name, flow, changes in (
                ("etl-morning", etl, {"blackout": blackout}),
                ("etl-evening", etl, {"when": Cron(expression="0 18 * * *", timezone="Asia/Seoul")}),
                ("etl-hook", etl, {"when": Webhook(hook="deploy", secret="deploy-key")}),
                ("dump", command, {"flow": None, "command": "pg_dump app", "timeout": timedelta(minutes=5)}),
            ):
                definition = a_schedule(name, **changes)
                next_due = None if isinstance(definition.when, Webhook) else due
                tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=next_due, now=NOW)
            tx.agents.beat(_an_agent("host-1a2b", beat_at=NOW))
            tx.agents.beat(_an_agent("gone", beat_at=NOW - timedelta(hours=2)))
        self.asked.variables.set("region", "kr", tags=["prod"])
        self.asked.secrets.set("deploy-key", SECRET)
        self.asked.named_limits.set("warehouse", 3)


def _an_agent(name: str, **changes: Any) -> AgentBeat:
    given: dict[str, Any] = {
        "name": name,
        "host": "host",
        "pid": 4_711,
        "version": "1.0",
        "boot_id": "8c5b",
        "started_at": NOW - timedelta(days=1),
        "status": {"running": 2},
    }
    return AgentBeat(**given | changes)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
