"""What a page may cost: so many queries, however long the history is, and so many bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from fastapi.testclient import TestClient

from benchmarks.seed import AGENT, BOOT, END, Seeded, seed
from schedulerd.domain.access import Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.ids import RunKey
from schedulerd.store.database import Database
from tests.web.entering import House
from tests.web.queries import queries

MOST_QUERIES: Final = 12
MOST_BYTES: Final = 80_000
PAGES: Final = (
    *("/", "/?range=30d", "/flows", "/flows?q=load", "/runs", "/runs?q=state:bad", "/schedules"),
    *("/flows/{flow}", "/flows/{flow}/params", "/flows/{flow}/versions", "/flows/{flow}/run"),
    *(
        "/schedules/{flow}-schedule",
        "/system",
        "/agents",
        "/agents/seoul-1",
        "/agents/seoul-1/drain",
        "/settings/users",
        "/activity",
        "/settings",
        "/flows/new",
    ),
    *("/runs/{tasks}", "/runs/{tasks}/result", "/runs/{tasks}/params", "/runs/{tasks}/moves"),
    *("/runs/{tasks}/retry", "/runs/{tasks}/rerun", "/runs/{log}/logs", "/runs/{log}/logs?line=900"),
    *(
        "/runs/{log}/logs/chunk?before=900",
        "/palette?q=load",
        "/palette?q=>run",
        "/runs/bulk/cancel?run={tasks}&run={log}",
        "/api/docs",
    ),
)


_AGENT: Final = AgentBeat(
    name=AGENT, host="seoul", pid=1, version="1", boot_id=BOOT, started_at=END, beat_at=END
)


class LongHistory:
    """A house with a seeded history, of which somebody is seen in, and its pages by name."""

    def __init__(self, folder: Path, *, runs: int, flows: int) -> None:
        url = f"sqlite:///{folder / 'schedulerd.db'}"
        seeded = seed(url, count=runs, flow_count=flows, lines=2_000)
        self._database: Final = Database(url)
        with self._database.write() as tx:
            tx.agents.beat(_AGENT)
        self._house: Final = House(self._database, folder, now=END)
        self._names: Final = _names(self._database, seeded)

    def path(self, page: str) -> str:
        """Where the page is found in it."""
        return page.format_map(self._names)

    @contextmanager
    def visited(self) -> Iterator[TestClient]:
        """Somebody looks at it."""
        with self._house:
            yield self._house.guest(Role.ADMIN)
        self._database.close()


def _names(database: Database, seeded: Seeded) -> dict[str, str]:
    with database.read() as tx:
        tasks, log = (tx.runs.by_key(RunKey(key)).id for key in (seeded.with_tasks, seeded.with_log))
    return {"flow": seeded.flow, "tasks": str(tasks), "log": str(log)}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """How many queries each page makes over a history, and over one that is four times as long."""
    found: dict[str, list[int]] = {page: [] for page in PAGES}
    for runs, flows in ((1_500, 50), (6_000, 200)):
        history = LongHistory(tmp_path_factory.mktemp("history"), runs=runs, flows=flows)
        with history.visited() as client:
            for page in PAGES:
                client.get(history.path(page))  # what is asked once in a process is not asked again
                with queries() as made:
                    answer = client.get(history.path(page))
                assert answer.status_code == 200, answer.text
                found[page].append(len(made))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_makes_few_queries_however_many_rows_there_are(
    counted: dict[str, list[int]], page: str
) -> None:
    short, long = counted[page]

    assert short <= MOST_QUERIES
    assert long <= short


# The one is 500 lines of a log, whatever they say; the other a reference, and on one page so that it can be searched.
_AS_LONG_AS_WHAT_IT_SHOWS: Final = ("/logs", "/api/docs")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_html_of_a_page_is_small(tmp_path: Path, language: str) -> None:
    history = LongHistory(tmp_path, runs=3_000, flows=200)
    with history.visited() as client:
        sizes = {
            page: len(client.get(history.path(page), headers={"Accept-Language": language}).content)
            for page in PAGES
        }

    assert {
        page: size
        for page, size in sizes.items()
        if size > MOST_BYTES and not any(one in page for one in _AS_LONG_AS_WHAT_IT_SHOWS)
    } == {}
