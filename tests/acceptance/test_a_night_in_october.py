"""One night, driven from outside: a crontab, a queue, a kill, a pause, a cancel, while the clocks of Berlin go back."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock
from tests.passage import RECORD, Passage
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

GATE = "while [ ! -e open ]; do sleep 0.1; done"
SCHEDULES = [
    f"name = 'half'\ncommand = '''{RECORD}'''\ncron = '*/30 * * * *'\ntimezone = 'Europe/Berlin'\ncatchup = 'all'",
    f"name = 'slow'\ncommand = '''{GATE}; {RECORD}'''\ncron = '20,40 2 * * *'\ntimezone = 'Europe/Berlin'\n"
    "overlap = 'queue'",
]


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-25T{text}:00")


def history(passage: Passage, schedule: str) -> list[tuple[str, str, str]]:
    """The slots of a schedule, with the state and reason of the run of each."""
    runs = [run for run in passage.found() if run.schedule == schedule]
    return sorted((run.slot or "", run.state.value, run.reason) for run in runs)


def slot(text: str) -> str:
    return f"2026-10-25T{text[:5]}:00{text[5:]}"


def test_whatever_happens_in_the_night_each_due_time_has_one_end(tmp_path: Path, clock: MovedClock) -> None:
    with Passage(tmp_path, clock) as passage:
        service = passage.service
        (tmp_path / "config" / "night.crontab").write_text(
            f"HOME={tmp_path}\nCRON_TZ=Europe/Berlin\n15 * * * * {RECORD}\n"
        )
        clock.set(berlin("00:50+02:00"))
        service.schedule("all.toml", "\n".join(f"[[schedule]]\n{entry}\n" for entry in SCHEDULES))
        passage.start()
        eventually(lambda: len(service.cli("schedules", "list")) == 3, within=20)
        (tab,) = (one["name"] for one in service.cli("schedules", "list") if one["name"].startswith("night:"))

        # The first pass of the hour from 02:00 to 03:00: one runs and waits, one is queued behind it, and the daemon dies.
        passage.lead_to(berlin("02:45+02:00"), but="slow")
        passage.wait_until_running("slow")
        assert history(passage, "slow")[1] == (
            slot("02:40+02:00"),
            "scheduled",
            "queued behind slow#1",
        )
        service.kill()

        # It stays away until late in the second pass; meanwhile somebody pauses one schedule and cancels the run.
        clock.set(berlin("02:50+01:00"))
        for words in (
            ("schedules", "pause", "half", "--reason", "the disk is full"),
            ("runs", "cancel", "slow#1"),
        ):
            done = service.command(*words)
            assert done.returncode == 0, done.stderr
        passage.start()
        eventually(lambda: history(passage, "slow")[0][1] == "cancelled", within=20)
        (tmp_path / "open").touch()
        eventually(lambda: history(passage, "slow")[1][1] == "completed", within=20)

        # The pause ends, and the crontab goes.
        passage.lead_to(berlin("03:40+01:00"))
        assert service.command("schedules", "resume", "half").returncode == 0
        (tmp_path / "config" / "night.crontab").unlink()
        eventually(lambda: len(service.cli("schedules", "list")) == 2, within=20)
        passage.lead_to(berlin("04:05+01:00"))

        pause = f"paused: 4 due times from {slot('02:00+01:00')} to {slot('03:30+01:00')}"
        assert history(passage, "half") == [
            (slot("01:00+02:00"), "completed", ""),
            (slot("01:30+02:00"), "completed", ""),
            (slot("02:00+02:00"), "completed", ""),
            (slot("02:30+02:00"), "completed", ""),
            (slot("03:30+01:00"), "skipped", pause),
            (slot("04:00+01:00"), "completed", ""),
        ]
        assert history(passage, "slow") == [
            (slot("02:20+02:00"), "cancelled", ""),
            (slot("02:40+02:00"), "completed", ""),
        ]
        assert history(passage, tab) == [
            (slot("01:15+02:00"), "completed", ""),
            (slot("02:15+01:00"), "skipped", "misfire"),
            (slot("02:15+02:00"), "completed", ""),
            (slot("03:15+01:00"), "completed", ""),
        ]
        completed = [run for run in passage.runs() if run["state"] == "completed"]
        assert passage.recorded() == sorted(
            (run["id"], datetime.fromisoformat(run["due_at"])) for run in completed
        )
        assert service.broken_invariants() == []
