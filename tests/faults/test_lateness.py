"""How late runs are taken, and begin: 500 schedules, 50 of them due in the same second, again and again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.runs import Run, RunFilter
from tests.service import Service
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

MILLISECOND = timedelta(milliseconds=1)
MEDIAN, WORST = 50 * MILLISECOND, 250 * MILLISECOND
_LATEST = timedelta(seconds=10)
_TOGETHER = 50
_OTHERS = 450


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings="max_running = 100\nspare_processes = 50")
    yield service
    service.close()


def _entry(name: str, cron: str, what: str) -> str:
    return f'[[schedule]]\nname = "{name}"\n{what}\ncron = "{cron}"\noverlap = "allow"\n'


@pytest.mark.parametrize("what", ['flow = "quick"', 'command = "true"'], ids=["flows", "commands"])
@pytest.mark.parametrize(
    ("times", "leeway"),
    [(2, 20), pytest.param(30, 1, marks=pytest.mark.nemesis)],
    ids=["a few times", "for five minutes"],
)
def test_many_that_are_due_together_are_taken_in_time(
    service: Service, what: str, times: int, leeway: int, record_property: Callable[[str, object], None]
) -> None:
    service.drop("quick.py", "from schedulerd import flow\n\n@flow\ndef quick():\n    pass\n")
    together = [_entry(f"together-{number}", "*/10 * * * * *", what) for number in range(_TOGETHER)]
    others = [
        _entry(f"other-{number}", f"{number % 60} {number % 24} 1 1 *", what) for number in range(_OTHERS)
    ]
    service.schedule("all.toml", "\n".join(together + others))
    service.start()

    wanted = _TOGETHER * (times + 1)
    eventually(lambda: len(_taken(service)) >= wanted, within=10 * times + 60, every=1.0)
    runs = _taken(service)
    first = min(run.due_at for run in runs)  # the second in which all is read for the first time

    late = sorted(_lateness(run) for run in runs if run.due_at > first)
    median, worst = _middle_and_worst(late)
    began = sorted(run.started_at - run.due_at for run in runs if run.due_at > first and run.started_at)
    record_property(
        "figures",
        f"taken: p50 {median / MILLISECOND:.0f} ms, p99 {worst / MILLISECOND:.0f} ms, of {len(late)}; "
        "begun: p50 {:.0f} ms, p99 {:.0f} ms".format(
            *(some / MILLISECOND for some in _middle_and_worst(began))
        ),
    )
    assert late[0] >= timedelta()
    assert median <= MEDIAN * leeway
    assert worst <= WORST * leeway
    assert len(began) >= len(late) - _TOGETHER  # those of the last moment may not have said so yet
    assert began[-1] <= _LATEST  # what else the machine has to do decides when, and not whether


def _middle_and_worst(late: list[timedelta]) -> tuple[timedelta, timedelta]:
    return late[len(late) // 2], late[len(late) * 99 // 100]


def _taken(service: Service) -> list[Run]:
    return [run for run in service.runs(RunFilter(limit=10_000)) if run.pending_at is not None]


def _lateness(run: Run) -> timedelta:
    assert run.pending_at is not None
    return run.pending_at - run.due_at
