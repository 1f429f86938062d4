"""A webhook, and what calls it."""

from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.domain.runs import RunFilter
from schedulerd.domain.schedules import Webhook
from schedulerd.operations.operations import Operations
from schedulerd.operations.webhooks import Webhooks
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import NOW, a_file, a_flow, a_schedule
from tests.fakes import FakeClock

SECRET: Final = "canary-hook-7c1f09d2"
HOOK: Final = "/api/v1/hooks/deploy"
SCHEMA: Final = {
    "type": "object",
    "properties": {"event": {}, "rows": {"type": "integer"}, "region": {"type": "string"}},
    "additionalProperties": False,
}


class Scene:
    """A webhook `deploy`, and what calls it."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database = database
        self.clock = FakeClock()
        self.opened: list[TestClient] = []
        self.asked = Operations(database, state_dir=state_dir, clock=self.clock)
        self.asked.secrets.set("deploy-key", SECRET)
        with database.write() as tx:
            tx.flows.put_file(a_file(a_flow(parameters=SCHEMA)), now=NOW)
        self.put()
        self.serve(self.asked.webhooks)

    def serve(self, webhooks: Webhooks) -> None:
        """By one loop, as a server does, whatever thread calls."""
        self.app = make_app(hosts={"localhost"}, clock=self.clock, webhooks=webhooks)
        self.here = self.client()
        self.here.__enter__()
        self.opened.append(self.here)

    def close(self) -> None:
        for client in self.opened:
            client.__exit__()

    def put(self, parameter: str | None = "*", name: str = "deploy", **changes: Any) -> None:
        when = Webhook(hook=name, secret=changes.pop("secret", "deploy-key"), parameter=parameter)
        definition = a_schedule(f"on-{name}", when=when, **changes)
        with self.database.write() as tx:
            flow = tx.flows.get("etl").key
            tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=None, now=NOW)
        self.clock.advance(seconds=2)

    def client(self, address: str = "192.0.2.1") -> TestClient:
        return TestClient(self.app, base_url="http://localhost", client=(address, 50_000))

    def call(
        self, body: Any = None, path: str = HOOK, secret: str | None = SECRET, **headers: str
    ) -> Response:
        given = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.here.post(path, headers=given | named, **({} if body is None else {"json": body}))

    def send(self, content: bytes, **headers: str) -> Response:
        given = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json", **headers}
        return self.here.post(HOOK, content=content, headers=given)

    def runs(self) -> list[dict[str, Any]]:
        with self.database.read() as tx:
            return [
                {"state": run.state, "trigger": run.trigger, "parameters": dict(run.parameters)}
                for run in reversed(tx.runs.list(RunFilter()))
            ]
