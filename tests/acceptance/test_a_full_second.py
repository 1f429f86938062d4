"""Very much is due in one second, and all else happens in it too: driven from outside, while the clocks of Berlin go back."""

import os
import signal
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from schedulerd.domain.runs import RunFilter
from tests.browsing import Browser, at_a_free_port
from tests.clock_shim import MovedClock
from tests.passage import Listed, Passage
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(400)

MANY: Final = 150
NEVER_DUE: Final = 1_000

FLOWS = """
import os, signal, time
from schedulerd import flow

def note(text):
    descriptor = os.open("effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, (text + "\\n").encode())
    os.close(descriptor)

@flow
def count(number: int):
    print("this is", number)
    note(f"count {number}")

@flow(retries=1, retry_delay_seconds=3600)
def flaky():
    attempt = int(os.environ["SCHEDULERD_ATTEMPT"])
    print("this is attempt", attempt)
    note(f"flaky {attempt}")
    if attempt == 1:
        raise ConnectionError("the source is away")

@flow
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("hangs")
    note("deaf")
    while True:
        time.sleep(600)
"""


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-25T{text}")


def entry(name: str, flow: str, cron: str, parameters: str = "{}") -> str:
    return (
        f'[[schedule]]\nname = "{name}"\nflow = "{flow}"\ncron = "{cron}"\ntimezone = "Europe/Berlin"\n'
        f'catchup = "all"\nparameters = {parameters}\n\n'
    )


def never_due(prefix: str) -> str:
    """A file of schedules that are due on the last day of June, called by other names each time."""
    return "".join(
        entry(f"{prefix}-{number}", "count", f"{number % 60} 7 30 6 *", f"{{ number = {number} }}")
        for number in range(NEVER_DUE)
    )


def due_together(head: str = "") -> str:
    """A file of what is due at half past two."""
    many = (
        entry(f"many-{number}", "count", "30 2 * * *", f"{{ number = {number} }}") for number in range(MANY)
    )
    return head + entry("deaf", "deaf", "30 2 * * *") + "".join(many) + entry("flaky", "flaky", "30 2 * * *")


def effects(service: Service) -> Counter[str]:
    """What the runs noted of themselves."""
    file = service.folder / "effects"
    return Counter(file.read_text().splitlines() if file.exists() else ())


def run_of(passage: Passage, flow: str) -> Listed:
    found = [one for one in passage.runs() if one["flow"] == flow]
    assert len(found) <= 1
    return found[0] if found else {"state": ""}


def kill_both(service: Service) -> None:
    spawner = service.spawner()
    assert spawner is not None
    os.kill(spawner, signal.SIGKILL)
    service.kill()


def in_force(service: Service, prefix: str) -> int:
    database = service.database()
    with database.read() as tx:
        names = tx.schedules.names()
    database.close()
    return sum(name.startswith(prefix) for name in names)


def test_each_of_very_many_that_are_due_together_runs_once_whatever_else_happens(
    tmp_path: Path, clock: MovedClock
) -> None:
    with Passage(tmp_path, clock, web=at_a_free_port()) as passage:
        service = passage.service
        clock.set(berlin("02:29:00+02:00"))
        service.drop("full.py", FLOWS)
        service.schedule("due.toml", due_together())
        service.schedule("never.toml", never_due("never"))
        passage.start()
        eventually(lambda: in_force(service, "") == MANY + NEVER_DUE + 2, within=60)

        # Half past two. Some have run, in folders that are used again, when daemon and spawner are killed.
        clock.set(berlin("02:30:00+02:00"))
        eventually(lambda: effects(service).total() >= MANY // 4, within=60)
        kill_both(service)

        # While nobody is there each line of the one file moves, and each name in the other becomes another. The daemon that
        # finds it is killed while these come into force, and so is the one after it, with its spawner.
        service.schedule("due.toml", due_together(head="# moved\n"))
        service.schedule("never.toml", never_due("other"))
        passage.start()
        eventually(lambda: in_force(service, "other-") > 0, within=60, every=0.01)
        service.kill()
        passage.start()
        eventually(lambda: effects(service).total() >= MANY // 2, within=60)
        kill_both(service)
        passage.start()
        eventually(lambda: effects(service).total() == MANY + 2, within=120)
        eventually(lambda: in_force(service, "other-") == NEVER_DUE, within=60)
        assert in_force(service, "never-") == 0

        # What hangs is cancelled at its page; what failed is tried again at half past two of the second pass, alone.
        browser = Browser(service)
        try:
            deaf = run_of(passage, "deaf")
            page = f"/runs/{deaf['id']}"
            assert 'data-run-state="running"' in browser.read(page)
            browser.send(f"{page}/cancel", reason="it hangs")
            eventually(lambda: 'data-run-state="cancelled"' in browser.read(page), within=60)
        finally:
            browser.close()
        eventually(lambda: run_of(passage, "flaky")["state"] == "retrying", within=60)
        clock.set(berlin("02:31:00+01:00"))
        eventually(lambda: run_of(passage, "flaky")["state"] == "completed", within=60)

        numbers = {f"count {number}": 1 for number in range(MANY)}
        assert effects(service) == {**numbers, "deaf": 1, "flaky 1": 1, "flaky 2": 1}
        runs = {one["schedule"]: one for one in passage.runs()}
        assert len(runs) == len(passage.runs()) == MANY + 2
        assert Counter(one["state"] for one in runs.values()) == {"completed": MANY + 1, "cancelled": 1}
        assert {slot for _, slot in passage.slots()} == {"2026-10-25T02:30:00+02:00"}
        for run in service.runs(RunFilter(limit=1_000, flows=("count",))):
            lines = [one.line.message for one in service.lines(run.key)]
            assert lines.count(f"this is {run.parameters['number']}") == 1
        assert service.broken_invariants() == []
