"""A daemon that is killed, or stopped, again and again: each due time of four schedules is run, once, and late at worst."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from schedulerd.clock import SystemClock
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import FINAL, RunState
from tests.postgres import installations
from tests.service import Service, process_state
from tests.waiting import SLOWER, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

POSTGRES = next((one.name for one in installations()), "postgres-none")
BOTH = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param(POSTGRES, marks=pytest.mark.postgres)], indirect=True
)

FLOW = """
import os
from schedulerd import flow

@flow
def notes(record: str):
    file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, (os.environ["SCHEDULERD_RUN_ID"] + "\\n").encode())
    os.fsync(file)
    os.close(file)
"""
PERIODS = {
    "each-second": timedelta(seconds=1),
    "each-five": timedelta(seconds=5),
    "each-minute": timedelta(minutes=1),
}
FIXED = "fixed"
_AHEAD = timedelta(seconds=12)
_LATEST_AFTER = timedelta(seconds=1.5)
_CLOCK = SystemClock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A service with four schedules in force, and the record that their flow keeps of itself."""

    service: Service
    record: Path
    fixed_at: datetime

    def runs(self) -> Sequence[Run]:
        """All runs."""
        return self.service.runs(RunFilter(limit=100_000))

    def next_due(self) -> datetime | None:
        """When something is to be decided next."""
        database = self.service.database()
        with database.read() as tx:
            due = tx.schedules.next_due()
        database.close()
        return due

    def recorded(self) -> Counter[str]:
        """How often each run did what it does, by its own record."""
        return Counter(self.record.read_text().split() if self.record.exists() else ())

    def wait_until_met(self, end: datetime) -> list[Run]:
        """Wait until all that is due by then is decided and has ended: these runs."""
        eventually(lambda: (due := self.next_due()) is not None and due > end, within=30)
        eventually(lambda: all(run.state in FINAL for run in self._due_by(end)), within=30)
        return self._due_by(end)

    def _due_by(self, end: datetime) -> list[Run]:
        return [run for run in self.runs() if run.due_at <= end]


@pytest.fixture
def scene(tmp_path: Path, empty_url: str) -> Iterator[Scene]:
    service = Service(tmp_path, url=empty_url)
    record = tmp_path / "record"
    service.drop("notes.py", FLOW)
    service.start()
    service.wait_for_flow("notes")
    whens = {name: f'every = "{period.total_seconds():g}s"' for name, period in PERIODS.items()}
    whens["each-minute"] = 'cron = "* * * * *"'
    fixed_at = (_CLOCK.now() + _AHEAD).replace(microsecond=0)
    whens[FIXED] = f'at = {fixed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}\ntimezone = "UTC"'
    service.schedule("all.toml", "\n".join(_entry(name, when, record) for name, when in whens.items()))
    scene = Scene(service=service, record=record, fixed_at=fixed_at)
    eventually(scene.recorded, within=20)
    yield scene
    service.close()


def _entry(name: str, when: str, record: Path) -> str:
    policies = 'overlap = "allow"\ncatchup = "all"\ncatchup_limit = 10000\ncatchup_window = "1d"'
    return f'[[schedule]]\nname = "{name}"\nflow = "notes"\nparameters = {{ record = "{record}" }}\n{when}\n{policies}\n'


def met(scene: Scene) -> list[Run]:
    """The runs of all due times until now, each of which has one, that did what it does once; with the fixed time."""
    end = max(_CLOCK.now(), scene.fixed_at)
    runs = scene.wait_until_met(end)
    for name, period in PERIODS.items():
        found = sorted(run.due_at for run in runs if run.schedule == name)
        if not found:
            assert period >= timedelta(minutes=1), name  # none came while it went on
            continue
        assert found == [found[0] + number * period for number in range(len(found))], name
        assert found[-1] > end - period, name
    fixed = [run.due_at for run in runs if run.schedule == FIXED]
    assert fixed == [scene.fixed_at]
    assert {run.state for run in runs} == {RunState.COMPLETED}
    did = scene.recorded()
    assert {str(run.id): did[str(run.id)] for run in runs} == {str(run.id): 1 for run in runs}
    return runs


@BOTH
@pytest.mark.parametrize(
    "seconds", [20, pytest.param(600, marks=pytest.mark.nemesis)], ids=["shortly", "ten minutes"]
)
def test_a_daemon_that_is_killed_again_and_again_meets_each_due_time_once(
    scene: Scene, seconds: int, record_property: Callable[[str, object], None]
) -> None:
    dice, began, kills = random.Random(seconds), _CLOCK.monotonic(), 0
    back = []
    while _CLOCK.monotonic() - began < seconds:
        Event().wait(dice.random() * 1.5)
        scene.service.kill()
        kills += 1
        since, is_awaited = _CLOCK.monotonic(), dice.random() < 0.5
        scene.service.start(wait=is_awaited)  # where not, it is killed again at any instant of its beginning
        if is_awaited:
            back.append(_CLOCK.monotonic() - since)

    runs = met(scene)

    back.sort()
    figures = f"{kills} kills, {len(runs)} due times, none lost, none doubled; ready again after {back[len(back) // 2]:.2f} s (median)"
    record_property("figures", figures)
    print(figures)


@BOTH
@pytest.mark.parametrize("seconds", [4, pytest.param(50, marks=pytest.mark.nemesis)], ids=["shortly", "50 s"])
def test_a_daemon_that_is_stopped_and_goes_on_doubles_nothing_and_is_back_at_once(
    scene: Scene, seconds: int, record_property: Callable[[str, object], None]
) -> None:
    os.kill(scene.service.pid, signal.SIGSTOP)
    eventually(lambda: process_state(scene.service.pid) == "T")

    refused = scene.service.command("start")
    Event().wait(seconds)
    before = _CLOCK.now()
    os.kill(scene.service.pid, signal.SIGCONT)

    assert refused.returncode != 0
    assert "already" in refused.stderr, refused.stderr
    runs = met(scene)
    missed = [run for run in runs if before - timedelta(seconds=seconds) < run.due_at <= before]
    assert len(missed) >= seconds - 2
    late = max(run.created_at for run in missed) - before
    assert late <= _LATEST_AFTER * SLOWER
    figures = f"{len(missed)} due times of {seconds} s decided {late.total_seconds():.2f} s after it went on"
    record_property("figures", figures)
    print(figures)
