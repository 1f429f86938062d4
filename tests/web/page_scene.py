"""A history with a bit of everything, and who looks at its pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import FlowKey, RunKey
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.builders import A_SECOND, NOW, a_file, a_flow, a_schedule
from tests.fakes import FakeClock
from tests.store.scenes import add, an_intake, claim, move
from tests.web.entering import QuickPasswords, cookie_for, visitor

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"days": {"type": "integer", "default": 3}, "region": {"type": "string"}},
    "required": ["region"],
    "additionalProperties": False,
}
KEY_ERROR: Final = Failure(
    type="KeyError", message="'region'", file="flows/etl.py", line=88, task="load", traceback="Traceback …"
)


class Looker(HTMLParser):
    """What is to be seen on a page: its text, and its elements by id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(re.sub("</?bdi>", "", html))  # it parts no words

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


class PageScene:
    """A flow with a schedule, a run that failed with two tasks and a log, one that runs, and one that is to run."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database = database
        self.clock = FakeClock(NOW)
        self.operations = Operations(
            database, state_dir=state_dir, clock=self.clock, passwords=QuickPasswords()
        )
        with database.write() as tx:
            tx.flows.put_file(a_file(a_flow(parameters=SCHEMA, description="Moves rows.")), now=NOW)
            self.flow: FlowKey = tx.flows.get("etl").key
            tx.schedules.put(a_schedule(), flow=self.flow, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)
        self.failed = self._failed()
        self.running = self._started()
        with database.write() as tx:
            waiting = add(tx, self.flow, parameters={"region": "<b>kr</b>"})
        self.waiting = self._run(waiting)
        self.clock.advance(seconds=60)

    def _run(self, key: RunKey) -> Run:
        with self.database.read() as tx:
            return tx.runs.by_key(key)

    def _started(self) -> Run:
        with self.database.write() as tx:
            add(tx, self.flow, parameters={"region": "kr"})
            (run,) = claim(tx)
            move(tx, run.key, RunState.RUNNING)
        return self._run(run.key)

    def _failed(self) -> Run:
        run = self._started()
        lines = [self.line(f"line {number}", level=40 if number == 7 else 20) for number in range(1, 21)]
        tasks = (
            TaskRun(
                number=1, name="extract", state=TaskState.COMPLETED, started_at=NOW, ended_at=NOW + A_SECOND
            ),
            TaskRun(
                number=2,
                name="load",
                state=TaskState.FAILED,
                started_at=NOW + A_SECOND,
                ended_at=NOW + 2 * A_SECOND,
                failure=KEY_ERROR,
            ),
        )
        with self.database.write() as tx:
            tx.intake.take([an_intake(run.key, moves=(), lines=tuple(lines), tasks=tasks)])
            move(
                tx,
                run.key,
                RunState.FAILED,
                at=NOW + 2 * A_SECOND,
                failure=KEY_ERROR,
                reason="KeyError: 'region'",
            )
        return self._run(run.key)

    @staticmethod
    def line(message: str, level: int = 20) -> LogLine:
        return LogLine(at=NOW, level=level, message=message, stream=Stream.STDOUT)

    @contextmanager
    def client(self, role: Role = Role.OPERATOR) -> Iterator["Reader"]:
        app = make_app(
            hosts={"localhost"},
            clock=self.clock,
            operations=self.operations,
            webhooks=self.operations.webhooks,
        )
        with visitor(app, cookie_for(self.operations, role, "minji")) as client:
            yield Reader(client, role)


class Reader:
    """Somebody with a browser."""

    def __init__(self, client: TestClient, role: Role) -> None:
        self._client = client
        self.principal = Principal(name="minji", role=role)

    def get(self, path: str, **headers: str) -> Response:
        return self._client.get(path, headers={name.replace("_", "-"): one for name, one in headers.items()})

    def see(self, path: str, status: int = 200, **headers: str) -> Looker:
        answer = self.get(path, **headers)
        assert answer.status_code == status, answer.text
        return Looker(answer.text)

    def choose(self, name: str, value: str) -> None:
        """Have a cookie of this value."""
        self._client.cookies.set(name, value)

    def post(self, path: str, **fields: str) -> Response:
        return self._client.post(path, data=fields)

    def post_all(self, path: str, *fields: tuple[str, str]) -> Response:
        """The same, with fields that may be there several times."""
        names = dict.fromkeys(name for name, _ in fields)
        return self._client.post(
            path, data={name: [value for one, value in fields if one == name] for name in names}
        )
