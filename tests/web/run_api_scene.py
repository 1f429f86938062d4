"""The API over a database with a history, as a program calls it."""

from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import NOW, a_file, a_flow
from tests.fakes import FakeClock

API: Final = "/api/v1"
SCHEMA: Final = {
    "type": "object",
    "properties": {"region": {"type": "string"}, "day": {"type": "integer"}},
    "additionalProperties": False,
}


class RunApiScene:
    """Two flows, `etl` with parameters and `report` with a tag, and who calls."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database: Final = database
        self.clock: Final = FakeClock()
        self.operations: Final = Operations(database, state_dir=state_dir, clock=self.clock)
        with database.write() as tx:
            (self.etl,) = tx.flows.put_file(a_file(a_flow(parameters=SCHEMA)), now=NOW)
            report = a_file(a_flow("report", tags=("prod",)), version="cd" * 32)
            (self.report,) = tx.flows.put_file(report, now=NOW)
        app = make_app(hosts={"localhost"}, clock=self.clock, operations=self.operations)
        self.client: Final = TestClient(app, base_url="http://localhost", raise_server_exceptions=True)

    def __enter__(self) -> "RunApiScene":
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__()

    def get(self, path: str, **query: Any) -> Response:
        """What the API answers; `query` names may have dots."""
        return self.client.get(f"{API}{path}", params=query.pop("query", query) or None)

    def start(self, flow: str = "etl", **parameters: Any) -> str:
        """The id of a new run."""
        self.clock.advance(seconds=1)
        return str(self.operations.runs.start(flow, parameters).run.id)
