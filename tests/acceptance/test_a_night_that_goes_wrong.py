"""One night in which all goes wrong at once, driven from outside, while the clocks of Berlin go back.

A flow fails, is to be tried again an hour later, and daemon and spawner are killed meanwhile. Its second attempt hangs,
deaf, with children that got away, holds the only slot of its pool, and is cancelled after both were killed once more.
"""

import os
import signal
from datetime import datetime
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock
from tests.passage import Listed, Passage
from tests.service import process_state
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(400)

FLOWS = """
import os, signal, subprocess, time
from schedulerd import flow

def note(text):
    descriptor = os.open("effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, (text + "\\n").encode())
    os.close(descriptor)

def tell(flow, flow_run, state):
    note(f"hook {flow.name} {state.name} after {flow_run.run_count}")

@flow(pool="disk", retries=3, retry_delay_seconds=3600, on_completion=[tell], on_failure=[tell], on_cancellation=[tell])
def ingest(well: bool = False):
    attempt = int(os.environ["SCHEDULERD_ATTEMPT"])
    note(f"ingest {attempt}")
    if well:
        return "done"
    if attempt == 1:
        raise ConnectionError("the source is away")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600 & sleep 600"], start_new_session=True)
    note(f"child {child.pid}")
    print("hangs")
    while True:
        time.sleep(600)

@flow(pool="disk", on_completion=[tell])
def report():
    note("report")
"""
SCHEDULES = """
[[schedule]]
name = "ingest"
flow = "ingest"
cron = "30 2 * * *"
timezone = "Europe/Berlin"

[[schedule]]
name = "report"
flow = "report"
cron = "45 2 * * *"
timezone = "Europe/Berlin"
catchup = "latest"
"""


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-25T{text}:00")


def run_of(passage: Passage, flow: str) -> Listed:
    """The only run of a flow that a schedule made; before there is one, one of no state."""
    runs = [one for one in passage.runs() if one["flow"] == flow and one["schedule"]]
    assert len(runs) <= 1
    return runs[0] if runs else {"state": "", "reason": ""}


def effects(passage: Passage) -> list[str]:
    """What flows and hooks noted of themselves."""
    file = passage.service.folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def kill_both(passage: Passage) -> None:
    """Kill the spawner and the daemon, as kill -9 does."""
    spawner = passage.service.spawner()
    assert spawner is not None
    os.kill(spawner, signal.SIGKILL)
    passage.service.kill()


def test_a_run_that_fails_is_lost_twice_and_cancelled_ends_once_and_lets_go(
    tmp_path: Path, clock: MovedClock
) -> None:
    with Passage(tmp_path, clock) as passage:
        service = passage.service
        settings = tmp_path / "config" / "schedulerd.toml"
        settings.write_text(settings.read_text() + "\n[pools]\ndisk = 1\n")
        clock.set(berlin("02:29+02:00"))
        service.drop("night.py", FLOWS)
        service.schedule("night.toml", SCHEDULES)
        passage.start()
        eventually(lambda: len(service.cli("schedules", "list")) == 2, within=20)

        # 02:30, the first time: it fails, and is to be tried again in an hour, which is at 02:30 once more.
        clock.set(berlin("02:30+02:00"))
        eventually(lambda: run_of(passage, "ingest")["state"] == "retrying", within=60)
        kill_both(passage)

        # Back at 02:31 of the second pass: the attempt is made, once. The report of 02:45 was missed meanwhile, and waits.
        clock.set(berlin("02:31+01:00"))
        passage.start()
        eventually(lambda: any(line.startswith("child ") for line in effects(passage)), within=60)
        eventually(lambda: run_of(passage, "report")["state"] == "scheduled", within=60)
        eventually(lambda: "pool 'disk'" in run_of(passage, "report")["reason"], within=60)
        (child,) = (int(line.split()[1]) for line in effects(passage) if line.startswith("child "))
        kill_both(passage)
        assert process_state(child) not in ("", "Z")  # a crash of the daemon is none of its runs

        # It is cancelled while nobody is there, deaf as it is; who comes back ends it, and all that it started.
        done = service.command("runs", "cancel", f"ingest#{run_of(passage, 'ingest')['number']}")
        assert done.returncode == 0, done.stderr
        passage.start()
        eventually(lambda: run_of(passage, "ingest")["state"] == "cancelled", within=60)
        eventually(lambda: process_state(child) in ("", "Z"), within=10)
        eventually(lambda: run_of(passage, "report")["state"] == "completed", within=60)

        # In the morning somebody asks for it anew, and it goes well.
        number = run_of(passage, "ingest")["number"]
        done = service.command("runs", "rerun", f"ingest#{number}", "-p", "well=true")
        assert done.returncode == 0, done.stderr
        eventually(
            lambda: (
                [one["state"] for one in passage.runs() if one["flow"] == "ingest"].count("completed") == 1
            ),
            within=30,
        )
        service.wait_for_hooks()

        assert [line for line in effects(passage) if line.startswith("ingest ")] == [
            "ingest 1",
            "ingest 2",
            "ingest 1",
        ]
        assert sorted(line for line in effects(passage) if line.startswith(("hook ", "report"))) == [
            "hook ingest Cancelled after 2",
            "hook ingest Completed after 1",
            "hook report Completed after 1",
            "report",
        ]
        assert len(passage.runs()) == 3
        assert service.broken_invariants() == []
