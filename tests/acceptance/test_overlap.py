"""A whole daemon with real processes: what overlaps is replaced or queued, and a pause outlives the daemon."""

import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.told import told
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

# Each says so if a process of an earlier run is left when it starts, and then runs for ever, with a child.
FOR_EVER = """\
for pid in $(cat pids); do kill -0 $pid && echo $pid >> together; done
sleep 600 & echo $$ $! >> pids; wait"""
# Each says so if it does not run alone.
A_LOOK = timedelta(seconds=0.8)  # one that nobody asked for comes every 0.9 s
IN_TURN = "mkdir lock || echo here >> together; sleep 1.2; rmdir lock"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def schedule(service: Service, command: str, keys: str = "") -> None:
    """A command each second; and another, which shows that the daemon goes about its work."""
    entry = '[[schedule]]\nname = "{}"\nevery = "1s"\n{}\ncommand = """\ncd {}\n{}"""\n'
    service.schedule("job.toml", entry.format("job", keys, service.folder, command))
    service.schedule("beat.toml", entry.format("beat", "", service.folder, "true"))


def runs(service: Service, *states: RunState, flow: str = "job") -> list[Run]:
    """The runs in these states, or all, the oldest first."""
    database = service.database()
    with database.read() as tx:
        found = tx.runs.list(RunFilter(flows=(flow,), states=frozenset(states), limit=1_000))
        found = told(tx, found, now=SystemClock().now())
    database.close()
    return found[::-1]


def gaps(service: Service) -> list[timedelta]:
    """How long after the end of each run the next one began."""
    return [
        later.started_at - sooner.ended_at
        for sooner, later in pairwise(runs(service, RunState.COMPLETED))
        if later.started_at is not None and sooner.ended_at is not None
    ]


def those_that_wait_while_one_goes_on(service: Service) -> list[Run]:
    """The runs in line behind one that is running at this moment; none when none is, or none waits."""
    found = runs(service, RunState.RUNNING, RunState.SCHEDULED)
    goes_on = any(run.state is RunState.RUNNING for run in found)
    return [run for run in found if run.queued and goes_on]


def wait_for_beats(service: Service) -> None:
    """Wait until the daemon has made two more due times into runs."""
    before = len(runs(service, RunState.COMPLETED, flow="beat"))
    eventually(lambda: len(runs(service, RunState.COMPLETED, flow="beat")) >= before + 2, within=20)


def test_a_run_that_is_replaced_is_gone_with_its_children_before_the_next_begins(service: Service) -> None:
    (service.folder / "pids").touch()
    service.start()
    schedule(service, FOR_EVER, 'overlap = "replace"')

    eventually(lambda: len(runs(service, RunState.CANCELLED)) >= 3, within=30)
    eventually(lambda: len(runs(service, RunState.RUNNING)) == 1)

    assert all(run.reason.startswith("replaced by job#") for run in runs(service, RunState.CANCELLED))
    assert not (service.folder / "together").exists()
    assert len((service.folder / "pids").read_text().splitlines()) >= 4
    assert service.stop() == 0
    assert service.broken_invariants() == []


def test_runs_that_queue_run_in_turn_and_follow_one_another_at_once(service: Service) -> None:
    service.start()
    schedule(service, IN_TURN, 'overlap = "queue"\nqueue_limit = 2')

    eventually(lambda: len(runs(service, RunState.COMPLETED)) >= 4, within=30)
    eventually(lambda: runs(service, RunState.SKIPPED), within=30)
    eventually(lambda: min(gaps(service)) < A_LOOK, within=30)
    waiting = eventually(lambda: those_that_wait_while_one_goes_on(service), within=30)

    done = runs(service, RunState.COMPLETED)
    assert not (service.folder / "together").exists()
    assert [run.due_at for run in done] == sorted(run.due_at for run in done)
    assert min(gaps(service)) >= timedelta()
    assert {run.reason for run in runs(service, RunState.SKIPPED)} == {"queue-full"}
    assert {run.reason.rpartition("#")[0] for run in waiting} == {"queued behind job"}
    assert service.stop() == 0
    assert service.broken_invariants() == []


def test_a_pause_outlives_the_daemon_and_leaves_one_row(service: Service) -> None:
    service.start()
    schedule(service, "true")
    eventually(lambda: runs(service, RunState.COMPLETED), within=20)

    (paused,) = service.cli("schedules", "pause", "job", "--reason", "the disk is full")
    before = len(runs(service))
    wait_for_beats(service)
    service.stop(signal.SIGTERM)
    service.start()
    wait_for_beats(service)
    assert len(runs(service)) == before

    (resumed,) = service.cli("schedules", "resume", "job")
    eventually(lambda: len(runs(service)) >= before + 3, within=20)

    row, *others = sorted(runs(service), key=lambda run: not run.reason.startswith("paused"))
    since, until = (datetime.fromisoformat(one) for one in (paused["paused"]["at"], resumed["next_due"]))
    assert row.state is RunState.SKIPPED
    assert " due times from " in row.reason
    assert [run for run in others if since < run.due_at < until] == []
    assert service.stop() == 0
    assert service.broken_invariants() == []


def test_a_schedule_can_be_paused_and_resumed_while_no_daemon_runs(service: Service) -> None:
    service.start()
    schedule(service, "true")
    eventually(lambda: runs(service, RunState.COMPLETED), within=20)
    service.stop(signal.SIGTERM)
    service.cli("schedules", "pause", "job", "--reason", "r")
    before = len(runs(service))
    service.start()
    wait_for_beats(service)
    assert len(runs(service)) == before

    service.stop(signal.SIGTERM)
    service.cli("schedules", "resume", "job")
    assert len(runs(service, RunState.SKIPPED)) == 1
    service.start()

    eventually(lambda: len(runs(service)) >= before + 2, within=20)
