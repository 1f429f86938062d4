"""A flow without a schedule, folders to write into, and somebody in a role who looks at pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Principal, Role
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.watch.schedule_files import ScheduleFile, read_schedule_file
from schedulerd.web.app import make_app
from tests.builders import A_SECOND, NOW, a_file, a_flow
from tests.fakes import FakeClock
from tests.web.entering import cookie_for, visitor
from tests.web.page_scene import Looker

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"days": {"type": "integer", "default": 3}, "region": {"type": "string"}},
    "required": ["region"],
    "additionalProperties": False,
}


class EditorScene:
    """What is saved in it is in force once `read` was called, as if a daemon had."""

    def __init__(
        self, database: Database, folder: Path, *, may_upload: bool = True, zone: str = "Asia/Seoul"
    ) -> None:
        self.schedules: Final = folder / "schedules"
        self.flows: Final = folder / "flows"
        for made in (self.schedules, self.flows):
            made.mkdir()
        self.database: Final = database
        self.clock: Final = FakeClock()
        places = Places(
            reader=DefinitionReader(timezone="Asia/Seoul", pools=()),
            schedules=self.schedules,
            flows=(self.flows,),
            may_upload=may_upload,
            timezone="Asia/Seoul",
        )
        self.operations: Final = Operations(
            database, state_dir=folder / "state", clock=self.clock, places=places
        )
        self._zone: Final = ZoneInfo(zone)
        with database.write() as tx:
            tx.flows.put_file(a_file(a_flow(parameters=SCHEMA, description="Moves rows.")), now=NOW)

    def files(self) -> list[ScheduleFile]:
        """What the files say, read as the daemon does."""
        return [
            read_schedule_file(path, timezone="Asia/Seoul") for path in sorted(self.schedules.glob("*.toml"))
        ]

    def read(self) -> None:
        """Have what is in the folder in force."""
        found = [one for file in self.files() for one in file.definitions]
        with self.database.write() as tx:
            flow = tx.flows.get("etl").key
            for one in tx.schedules.all():
                tx.schedules.remove(one.definition.name, now=NOW)
            for definition in found:
                tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)

    def save(self, **changes: Any) -> None:
        """A schedule that somebody saved before, in force."""
        values = {"name": "etl", "flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr"}} | changes
        self.operations.definitions.create(values, by=Principal(name="minji", role=Role.ADMIN))
        self.read()

    def app(self, *, hosts: frozenset[str] = frozenset({"localhost"})) -> FastAPI:
        """The application."""
        return make_app(hosts=hosts, clock=self.clock, operations=self.operations, zone=self._zone)

    @contextmanager
    def client(self, role: Role = Role.ADMIN) -> Iterator["Visitor"]:
        """Somebody in this role, with a browser without scripts."""
        with visitor(self.app(), cookie_for(self.operations, role)) as client:
            yield Visitor(client)


class Visitor:
    """Somebody with a browser."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def see(self, path: str, status: int = 200, **headers: str) -> Looker:
        """A page."""
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return Looker(answer.text)

    def post(self, path: str, **fields: str) -> Response:
        """Send a form."""
        return self.client.post(
            path, data={name.replace("p_", "p."): value for name, value in fields.items()}
        )
