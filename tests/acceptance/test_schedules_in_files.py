"""What schedules say in files, in a whole daemon: options, rules, and calendars that change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

FLOW = """
from schedulerd import flow
from schedulerd.schedules import Cron, RRule

@flow(
    schedule=[
        Cron("0 6 * * *", timezone="Asia/Seoul", name="dawn", jitter="5m", start="2020-01-01", parameters={"n": 2},
             overlap="queue", queue_limit=3),
        RRule("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0;BYSECOND=0", anchor="2026-01-30T18:00",
              blackout=[{"cron": "0 0 24 12 *", "duration": "3d"}], blackout_action="run-after"),
    ]
)
def report(n: int = 1):
    print(n)
"""
CLOSED = """
[[schedule]]
name = "open-days"
flow = "report"
cron = "0 6 * * *"
blackout = [{ calendar = "closed.ics" }, { holidays = "KR" }]
"""
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261120
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def shown(service: Service, schedule: str) -> dict[str, Any]:
    found: dict[str, Any] = service.cli("schedules", "show", schedule)
    return found


def test_schedules_of_a_flow_file_are_in_force_with_their_options(service: Service) -> None:
    service.start()
    service.drop("report.py", FLOW)
    eventually(lambda: len(service.cli("schedules", "list")) == 2, within=15)

    dawn, rule = shown(service, "dawn"), shown(service, "report#1")

    assert (dawn["start"], dawn["jitter_ms"], dawn["parameters"]) == (
        "2020-01-01T00:00:00",
        300_000,
        {"n": 2},
    )
    assert (dawn["policies"]["overlap"], dawn["policies"]["queue_limit"]) == ("queue", 3)
    assert (rule["when"]["kind"], rule["when"]["anchor"]) == ("rrule", "2026-01-30T18:00:00")
    assert rule["blackout"]["action"] == "run-after"
    assert rule["blackout"]["windows"] == [{"cron": "0 0 24 12 *", "duration_ms": 259_200_000}]
    assert None not in (dawn["next_due"], rule["next_due"])


def test_a_calendar_that_changes_breaks_and_is_mended_counts_as_it_was_last_good(service: Service) -> None:
    service.schedule("closed.ics", CALENDAR)
    service.schedule("open.toml", CLOSED)
    service.drop("report.py", "from schedulerd import flow\n\n@flow\ndef report(): ...\n")
    service.start()
    eventually(lambda: service.cli("schedules", "list"), within=15)
    days = shown(service, "open-days")["blackout"]["days"]
    assert {"2026-11-20", "2026-12-25"} <= set(days)

    service.schedule("closed.ics", CALENDAR.replace("20261120", "20261127"))
    eventually(lambda: "2026-11-27" in shown(service, "open-days")["blackout"]["days"], within=10)
    assert "2026-11-20" not in shown(service, "open-days")["blackout"]["days"]

    service.schedule("closed.ics", CALENDAR.replace("20261120", "tomorrow"))
    eventually(lambda: "closed.ics:7: DTSTART: " in service.command("status").stdout, within=10)
    assert "2026-11-27" in shown(service, "open-days")["blackout"]["days"]

    service.schedule("closed.ics", CALENDAR)
    eventually(lambda: "2026-11-20" in shown(service, "open-days")["blackout"]["days"], within=10)
    eventually(lambda: "closed.ics" not in service.command("status").stdout, within=10)
