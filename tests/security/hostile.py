"""A history in which all text that anybody else may choose tries to be more than text."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from fastapi.testclient import TestClient

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.domain.told import Artifact, ArtifactKind
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from schedulerd.operations.sign_in import From
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from schedulerd.web.app import make_app
from tests.builders import A_SECOND, BOOT, NOW, a_file, a_flow, a_schedule
from tests.fakes import FakeClock
from tests.store.scenes import add, an_intake, claim, move
from tests.web.entering import ROOT, QuickPasswords, visitor

EVIL: Final = (
    "evil'\"><canary-tag data-canary='1' onclick=\"canary()\">{{ 7 * 191 }}{% raise %}${7*191}&lt;b&gt;"
)
"""It opens an element and an attribute wherever it is not escaped, and says 1337 where it is a template."""

ENDING: Final = (
    EVIL
    + "</script></pre></textarea></title></style>--><!--]]>\u2028\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07"
)
"""For texts that may be long."""

WORD: Final = "evil"
LINK: Final = "javascript:alert('canary')"
FLOW: Final = EVIL
SCHEDULE: Final = f"on {EVIL}"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "evil": {"type": "string", "default": ENDING, "description": ENDING},
        "days": {"enum": [ENDING, "b"]},
        EVIL: {"type": "array", "title": ENDING},
    },
    "additionalProperties": False,
}
_FAILURE: Final = Failure(
    type=f"Evil{EVIL}", message=ENDING, file=f"flows/{EVIL}.py", line=3, task=EVIL, traceback=ENDING
)


class HostileScene:
    """What people and runs wrote, all of it evil; and an admin who is called so and looks at it."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        (state_dir / "schedules").mkdir()
        places = Places(
            reader=DefinitionReader(timezone="UTC", pools=()),
            schedules=state_dir / "schedules",
            flows=(state_dir,),
            may_upload=True,
        )
        self.database: Final = database
        self.clock: Final = FakeClock(NOW)
        self.asked: Final = Operations(
            database, state_dir=state_dir, clock=self.clock, places=places, passwords=QuickPasswords()
        )
        with database.write() as tx:
            self.failed: Final = _history(tx)
            self.waiting: Final = tx.runs.by_key(add(tx, tx.flows.get(FLOW).key, parameters={"evil": ENDING}))
        self.asked.schedules.pause(SCHEDULE, actor=EVIL, reason=ENDING)
        self.asked.runs.cancel(str(self.waiting.id), actor=EVIL, reason=ENDING)
        self.asked.variables.set("evil", {EVIL: ENDING}, tags=[EVIL])
        self.app: Final = make_app(hosts={"localhost"}, clock=self.clock, operations=self.asked)
        self._entered: Final = ExitStack()

    def __enter__(self) -> Self:
        code = self.asked.sign_in.make_code(EVIL, Role.ADMIN, by=ROOT)
        opened = self.asked.sign_in.by_code(code, From(address=EVIL, agent=ENDING))
        self.client: TestClient = self._entered.enter_context(visitor(self.app, opened.cookie))
        self.client.put(
            "/api/v1/variables/evil-2", json={"value": ENDING, "tags": [EVIL]}, headers={"If-None-Match": "*"}
        ).raise_for_status()
        self.client.post("/api/v1/tokens", json={"name": EVIL, "scopes": ["runs:read"]}).raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()


def _history(tx: Transaction) -> Run:
    tasks = (EVIL, f"second {EVIL}")
    flow = a_flow(
        FLOW,
        description=ENDING,
        tags=(EVIL,),
        tasks=tasks,
        edges=((0, 1),),
        parameters=_SCHEMA,
        file=f"{EVIL}.py",
    )
    (key,) = tx.flows.put_file(a_file(flow, source=f"# {ENDING}\n"), now=NOW)
    definition = a_schedule(SCHEDULE, flow=FLOW, origin=f"config/{EVIL}.toml:1", parameters={"evil": ENDING})
    tx.schedules.put(definition, flow=key, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)
    tx.flows.set_file_error(f"flows/{EVIL}-2.py", replace(_FAILURE, line=7), now=NOW)
    tx.agents.beat(
        AgentBeat(
            name=EVIL,
            host=EVIL,
            pid=1,
            version=EVIL,
            boot_id=BOOT,
            started_at=NOW - timedelta(hours=1),
            beat_at=NOW,
        )
    )
    add(tx, key, parameters={"evil": ENDING})
    (run,) = claim(tx)
    move(tx, run.key, RunState.RUNNING)
    tx.intake.take([_told(run.key)])
    move(tx, run.key, RunState.FAILED, at=NOW + A_SECOND, failure=_FAILURE, reason=ENDING, actor=EVIL)
    return tx.runs.by_key(run.key)


def _told(run: RunKey) -> Any:
    failed = TaskRun(
        number=1,
        name=EVIL,
        state=TaskState.FAILED,
        started_at=NOW,
        ended_at=NOW,
        failure=_FAILURE,
        message=ENDING,
    )
    lines = [
        LogLine(at=NOW, level=level, message=f"{ENDING} {level}", stream=Stream.LOGGING, logger=EVIL, task=1)
        for level in (10, 20, 30, 40)
    ]
    kinds: dict[ArtifactKind, Any] = {
        ArtifactKind.MARKDOWN: f"[x]({LINK}) {ENDING}",
        ArtifactKind.TABLE: [{EVIL: ENDING, "deep": {EVIL: [ENDING]}}],
        ArtifactKind.LINK: {"link": LINK, "text": ENDING},
        ArtifactKind.IMAGE: LINK,
    }
    artifacts = tuple(
        Artifact(id=UUID(int=place), kind=kind, at=NOW, data=data, key="evil", description=ENDING)
        for place, (kind, data) in enumerate(kinds.items(), 1)
    )
    value = Result(
        kind=ResultKind.JSON, call=OF_FLOW, content=b'{"evil": "</script><canary-tag data-canary=1>"}'
    )
    return replace(
        an_intake(run, moves=(), tasks=(failed,), lines=tuple(lines)),
        artifacts=artifacts,
        results=(value,),
        result_kept=ResultKind.JSON,
        result_preview=ENDING,
    )


class Trespass(HTMLParser):
    """Finds on a page what stored text has become that is more than text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()
        if "1337" in "".join(self.said):
            self.found.append("it was a template")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("canary"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith(("on", "data-canary", "style", "srcdoc")):
                self.found.append(f"<{tag} {name}={value!r}>")
            if name in ("href", "src", "action", "formaction", "hx-get", "data-url") and not _is_ours(
                value or ""
            ):
                self.found.append(f"<{tag} {name}={value!r}>")

    def handle_comment(self, data: str) -> None:
        if WORD in data:
            self.found.append(f"<!--{data}")

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def _is_ours(url: str) -> bool:
    return not url or (url.startswith(("/", "?", "#", "data:image/svg+xml")) and not url.startswith("//"))
