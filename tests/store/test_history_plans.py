"""No query of the history reads all runs: the plans of both databases, for a history of 50,000 runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from benchmarks.seed import END, RARE_ERROR, RARE_TAG, flow_name, seed
from schedulerd.domain.ids import RunKey
from schedulerd.domain.run_filters import parse_query
from schedulerd.store.database import Database
from tests.conftest import POSTGRES_KINDS, Servers

RUNS: Final = 50_000
QUERIES: Final = (
    *("", "state:bad", "state:active", "state:waiting", "state:ok", "state:neutral"),
    *(f"flow:{flow_name(7)}", f"flow:{flow_name(7)} state:bad", "flow:load*", "tag:prod", f"tag:{RARE_TAG}"),
    *("since:24h", "since:24h state:bad", "until:24h", "trigger:manual", "trigger:schedule state:bad"),
    *(f'error:"{RARE_ERROR}"', "dur:>5000h", "param.region:kr", "agent:nobody", "nowhere"),
    *(f"flow:{flow_name(7)} param.region:none", f"schedule:{flow_name(7)}-schedule"),
)
# Few runs are in these, so that each may be read whole.
_SMALL: Final = ("ix_runs_active", "ix_runs_strand", "ix_runs_undecided", "ix_runs_queued")


@pytest.fixture(params=["sqlite", *POSTGRES_KINDS[:1]])
def long_history(request: pytest.FixtureRequest, tmp_path: Path, postgres_servers: Servers) -> Iterator[str]:
    """The URL of a database with a long history. To make one takes seconds: one test looks at all of it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/schedulerd.db"
        seed(url, count=RUNS, lines=1_000)
        yield url
        return
    server = postgres_servers.get(request.param)
    name = server.create()
    seed(server.url(name), count=RUNS, lines=1_000)
    server.execute("ANALYZE", database=name)
    yield server.url(name)
    server.drop(name)


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collects what is read."""
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


def looks(database: Database, words: str) -> None:
    """Read a page, one in the middle, one upward, and the counts."""
    query = parse_query(words, now=END, zone=None)
    with database.read() as tx:
        for where in ({}, {"after": RunKey(RUNS // 2)}, {"before": RunKey(RUNS // 2)}):
            tx.history.page(query, now=END, limit=50, **where)
        tx.history.counts(query, now=END)


def looks_around(database: Database) -> None:
    """Read what pages show beside lists of runs: what goes on, the bars of flows, and what stands beside a run."""
    with database.read() as tx:
        run = tx.runs.by_key(RunKey(RUNS // 2))
        tx.snapshots.take([run.id])
        tx.runs.beside(run)
        tx.history.strips([run.flow_key], count=30)
        tx.history.of_keys([run.key])


def plan(connection: Connection, statement: str, parameters: Any) -> str:
    """How the database would go about it."""
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


def reads_all_runs(plan_text: str) -> bool:
    """Does the plan go through the whole of `runs`?"""
    if re.search(r"Seq Scan on runs\b", plan_text):
        return True
    scans = re.findall(r"^SCAN runs\b.*$", plan_text, re.MULTILINE)
    return any(not any(f"INDEX {small}" in scan for small in _SMALL) for scan in scans)


def test_no_query_of_a_long_history_reads_all_of_it(long_history: str) -> None:
    database, engine = Database(long_history, timeout=timedelta(seconds=2)), create_engine(long_history)
    found: dict[str, list[tuple[str, Any]]] = {}
    for words in QUERIES:
        with statements() as found[words]:
            looks(database, words)
    with statements() as found["around"]:
        looks_around(database)
    with engine.connect() as connection:
        plans = {
            (words, statement): plan(connection, statement, values)
            for words, read in found.items()
            for statement, values in read
        }
        bad = plan(connection, "SELECT count(*) FROM runs WHERE reason = 'x'", ())
        good = plan(connection, "SELECT reason FROM runs WHERE id = 7", ())
    unsound = database.check()
    engine.dispose()
    database.close()

    assert unsound == []
    assert (reads_all_runs(bad), reads_all_runs(good)) == (True, False)
    assert all(found.values())
    assert {what: one for what, one in plans.items() if reads_all_runs(one)} == {}


def test_the_same_seed_makes_the_same_history(tmp_path: Path) -> None:
    digests = []
    for number in range(2):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        seed(url, count=1_000, lines=10)
        engine = create_engine(url)
        with engine.connect() as connection:
            digests.append(connection.execute(text("SELECT id, uuid, state, failure FROM runs")).all())
        engine.dispose()

    assert digests[0] == digests[1]
