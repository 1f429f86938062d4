"""The API over a database with a history, as a program calls it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.domain.access import Role
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import NOW, a_file, a_flow
from tests.fakes import FakeClock
from tests.web.entering import cookie_for, visitor

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
        self._app: Final = make_app(hosts={"localhost"}, clock=self.clock, operations=self.operations)
        self._entered: Final = ExitStack()

    def __enter__(self) -> Self:
        self.client = self.visitor("kim")
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    def visitor(self, who: str) -> TestClient:
        """An operator called so, who has just signed in."""
        client = visitor(self._app, cookie_for(self.operations, Role.OPERATOR, who))
        return self._entered.enter_context(client)

    def pass_time(self, **parts: float) -> None:
        """Let time pass, in which who was signed in is forgotten."""
        self.clock.advance(**parts)
        self.client = self.visitor("kim")

    def get(self, path: str, **query: Any) -> Response:
        """What the API answers; `query` names may have dots."""
        return self.client.get(f"{API}{path}", params=query.pop("query", query) or None)

    def start(self, flow: str = "etl", **parameters: Any) -> str:
        """The id of a new run."""
        self.clock.advance(seconds=1)
        return str(self.operations.runs.start(flow, parameters).run.id)
