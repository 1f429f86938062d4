"""What is recorded of runs: how many bytes each takes in SQLite, and how many lines of one log a second."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from benchmarks.daemons import Cpu, connect, daemon, run_at_once
from benchmarks.figures import Bound, Figure
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.sizes import Size
from schedulerd.clock import SystemClock
from tests.service import Service
from tests.waiting import eventually

MOST_BYTES: Final = 1_500
LINES_A_SECOND: Final = 50_000
_BEFORE: Final = 200
# Three tasks, and five lines.
_RUN: Final = """
from schedulerd import Flow, task

@task
def extract():
    print("142 orders of 2026-11-27 from the shop in Busan")
    return [1, 2, 3]

@task
def transform(rows):
    print("3 of them are of customers that are not known yet")
    print("2 have no address: they are left out")
    return [row * 2 for row in rows]

@task
def load(rows):
    print("the table orders has 140 rows more")
    print("Final data:", rows)

with Flow("recorded") as flow:
    load(transform(extract()))
"""
_TALK: Final = """
from schedulerd import flow

@flow
def talkative(count: int):
    for number in range(count):
        print(f"row {number} of the table orders was loaded")
"""


def cost_of_records(size: Size) -> list[Figure]:
    """Bytes of a run of three tasks and five lines, indexes too, and how fast one run's log gets into the database."""
    with daemon({"recorded": _RUN, "talkative": _TALK}) as service:
        return [
            _bytes(service, size.pick(full=2_000, small=200)),
            _lines(service, size.pick(full=400_000, small=100_000)),
        ]


def _bytes(service: Service, count: int) -> Figure:
    run_at_once(service, "recorded", _BEFORE)  # the first pages of each table and index
    before = _stored(service)
    run_at_once(service, "recorded", count)
    after = _stored(service)
    each = {name: (size - before.get(name, 0)) / count for name, size in after.items()}
    for name, size in sorted(each.items(), key=lambda one: -one[1])[:12]:
        print(f"{size:8.0f} bytes a run in {name}")
    return Figure(
        benchmark="records",
        what="a run, 3 tasks and 5 lines, in SQLite",
        value=sum(each.values()),
        unit="bytes",
        target=MOST_BYTES,
        details={"places": each},
    )


def _stored(service: Service) -> Mapping[str, int]:
    """The bytes that each table and index takes, once what is in the log of writes is in the file."""
    eventually(lambda: _checkpoint(service), within=20)
    connection = connect(service)
    found = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    connection.close()
    return found


def _checkpoint(service: Service) -> bool:
    connection = sqlite3.connect(f"{service.state}/schedulerd.db")
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    return not busy


def _lines(service: Service, count: int) -> Figure:
    bare, before = Interpreters(), Cpu.of(service)
    bare.start()
    key = service.ask_for("talkative", count=count)
    run, now = service.wait_for_end(key, within=120), SystemClock().now()
    bare.start()
    assert run.started_at is not None
    cpu = Cpu.of(service).since(before, runs=count)
    print(
        f"a line: {cpu.daemon_ms * 1_000:.1f} us of CPU of the daemon, {cpu.runs_ms * 1_000:.1f} of the run"
    )
    connection = connect(service)
    (found,) = connection.execute("SELECT count(*) FROM log_lines WHERE run_id = ?", (key,)).fetchone()
    connection.close()
    assert found >= count, f"{found} lines of {count}"
    return Figure(
        benchmark="records",
        what="lines of one log",
        value=count / (now - run.started_at).total_seconds(),
        unit="/s",
        limit=bare.one_by_one,
        bound=Bound.AT_LEAST,
        is_time=True,
        target=LINES_A_SECOND * INTERPRETER_MS / 1_000,
        details={"daemon_us": cpu.daemon_ms * 1_000, "run_us": cpu.runs_ms * 1_000},
    )
