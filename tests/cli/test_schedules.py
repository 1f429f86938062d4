"""`schedules` and `next`: what fires when."""

import getpass
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
    DayMatch,
    Interval,
    Once,
)
from tests.builders import NOW, a_schedule
from tests.cli.scenes import Project, StillClock

FIELDS = [
    "id",
    "name",
    "flow",
    "when",
    "text",
    "parameters",
    "start",
    "end",
    "jitter_ms",
    "blackout",
    "policies",
    "heartbeat",
    "enabled",
    "paused",
    "next_due",
    "last_due",
    "origin",
]
HALF_PAST_TWO = Cron(expression="30 2 * * *", timezone="Europe/Berlin")


def put(project: Project, name: str, **changes: Any) -> None:
    """A schedule of the flow `etl`."""
    definition = a_schedule(name, **changes)
    with project.database.write() as tx:
        tx.schedules.put(
            definition,
            flow=tx.flows.get("etl").key,
            watermark=NOW,
            next_due=NOW + timedelta(hours=1),
            now=NOW,
        )


@pytest.fixture(autouse=True)
def _flow(project: Project) -> None:
    project.add_flow()


def test_a_schedule_in_json_has_the_shape_that_the_api_has(project: Project) -> None:
    put(project, "morning", when=HALF_PAST_TWO, parameters={"rows": 1})

    (shown,) = json.loads(project.call("schedules", "list", "-o", "json").stdout)

    assert list(shown) == FIELDS
    assert shown["when"] == {
        "kind": "cron",
        "expression": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "day_match": None,
    }
    assert shown["text"] == "at 02:30 every day, Europe/Berlin time"
    assert shown["next_due"] == "2026-11-22T07:00:00.000Z"
    assert shown["policies"]["catchup"] == "latest"


BLACKOUT = Blackout(
    windows=(BlackoutWindow(expression="0 22 * * 5", duration=timedelta(hours=56)),),
    spans=(BlackoutSpan(start=datetime(2026, 12, 24, 12), end=datetime(2026, 12, 27)),),  # noqa: DTZ001 local
    days=(date(2026, 12, 31), date(2027, 1, 1)),
    action=BlackoutAction.RUN_AFTER,
    calendars=("holidays DE-BY", "closed.ics"),
)
BOUNDED: dict[str, Any] = {
    "start": datetime(2026, 12, 1),  # noqa: DTZ001 local
    "end": datetime(2027, 1, 31, 23, 59, 59, 999999),  # noqa: DTZ001 local
    "jitter": timedelta(seconds=90),
    "blackout": BLACKOUT,
}


def test_start_end_jitter_and_blackout_are_shown_to_programs(project: Project) -> None:
    put(project, "morning", when=replace(HALF_PAST_TWO, day_match=DayMatch.BOTH), **BOUNDED)

    shown = json.loads(project.call("schedules", "show", "morning", "-o", "json").stdout)

    assert shown["when"]["day_match"] == "both"
    assert (shown["start"], shown["end"]) == ("2026-12-01T00:00:00", "2027-01-31T23:59:59.999999")
    assert shown["jitter_ms"] == 90_000
    assert shown["blackout"] == {
        "action": "run-after",
        "windows": [{"cron": "0 22 * * 5", "duration_ms": 201_600_000}],
        "spans": [{"from": "2026-12-24T12:00:00", "to": "2026-12-27T00:00:00"}],
        "days": ["2026-12-31", "2027-01-01"],
        "calendars": ["holidays DE-BY", "closed.ics"],
    }


def test_start_end_jitter_and_blackout_are_shown_to_people(project: Project) -> None:
    put(project, "morning", when=replace(HALF_PAST_TWO, day_match=DayMatch.BOTH), **BOUNDED)

    shown = project.call("schedules", "show", "morning").stdout

    facts = dict(line.strip().split("  ", 1) for line in shown.splitlines() if line.startswith("  "))
    said = {name: value.strip() for name, value in facts.items()}
    assert said["days"] == "both of the two day fields"
    assert said["start"] == "2026-12-01 00:00:00"
    assert said["jitter"] == "up to 1m30s"
    assert said["blackout"] == (
        "run-after: 0 22 * * 5 for 2d8h, 1 span, 2 days (of holidays DE-BY, closed.ics)"
    )


def test_a_command_stands_in_the_place_of_the_flow(project: Project) -> None:
    put(project, "dump", flow=None, command="pg_dump app")

    shown = json.loads(project.call("schedules", "show", "dump", "-o", "json").stdout)

    assert shown["command"] == "pg_dump app"
    assert "flow" not in shown
    assert "$ pg_dump app" in project.call("schedules", "list").stdout


def test_a_person_sees_when_a_schedule_fires_in_words(project: Project) -> None:
    put(project, "morning", when=HALF_PAST_TWO)
    put(project, "often", when=Interval(every=timedelta(minutes=15)), enabled=False)
    put(project, "once", when=Once(at=datetime.fromisoformat("2027-01-01T09:00")))

    assert "every 15 minutes" in project.call("schedules", "show", "often").stdout
    assert "once, on 1 January 2027 at 09:00" in project.call("schedules", "show", "once").stdout
    listed = project.call("schedules", "list").stdout
    assert "in 1h" in listed
    assert "not enabled" in listed


def test_a_misspelt_schedule_is_told_what_it_may_be(project: Project) -> None:
    put(project, "morning")

    result = project.call("schedules", "show", "mornin")

    assert result.exit_code == 3
    assert "did you mean morning?" in result.stderr


def test_a_pause_shows_who_paused_a_schedule_when_and_why(project: Project) -> None:
    put(project, "morning")

    done = project.call("schedules", "pause", "morning", "--reason", "the disk is full", "-o", "json")

    (paused,) = json.loads(done.stdout)
    assert paused["paused"] == {
        "reason": "the disk is full",
        "by": getpass.getuser(),
        "at": "2026-11-22T06:00:00.000Z",
    }
    assert paused["next_due"] is None
    shown = project.call("schedules", "show", "morning").stdout
    assert f"by {getpass.getuser()}: the disk is full" in shown
    assert "paused" in project.call("schedules", "list").stdout


def test_a_pause_is_yellow_in_a_list(project: Project) -> None:
    put(project, "morning")
    project.call("schedules", "pause", "morning", "--reason", "r")

    assert "\x1b[33mpaused" in project.call("--color", "always", "schedules", "list").stdout


def test_a_pause_needs_a_reason(project: Project) -> None:
    put(project, "morning")

    assert project.call("schedules", "pause", "morning").exit_code == 2


def test_what_is_paused_does_not_fire_next(project: Project) -> None:
    put(project, "morning")
    project.call("schedules", "pause", "morning", "--reason", "r")

    assert project.call("next", "-o", "json").stdout == "[]\n"
    assert project.call("schedules", "next", "morning", "-o", "json").stdout == "[]\n"


def test_a_schedule_that_is_resumed_is_due_again_and_has_a_row_for_its_pause(project: Project) -> None:
    put(project, "morning")
    project.call("schedules", "pause", "morning", "--reason", "r")
    an_hour_later = StillClock(NOW + timedelta(hours=1))

    done = project.call("schedules", "resume", "morning", "-o", "json", clock=an_hour_later)

    (resumed,) = json.loads(done.stdout)
    assert (resumed["paused"], resumed["next_due"]) == (None, "2026-11-22T07:01:00.000Z")
    (row,) = json.loads(project.call("runs", "list", "-o", "json").stdout)
    assert row["state"] == "skipped"
    assert row["reason"].startswith("paused: 60 due times from 2026-11-22T06:01")


def test_a_second_pause_and_a_needless_resume_are_conflicts(project: Project) -> None:
    put(project, "morning")
    needless = project.call("schedules", "resume", "morning")
    project.call("schedules", "pause", "morning", "--reason", "the disk is full")
    second = project.call("schedules", "pause", "morning", "--reason", "r")

    assert (needless.exit_code, second.exit_code) == (5, 5)
    assert "since 2026-11-22 06:00 UTC" in second.stderr
    assert "schedulerd schedules resume morning" in second.stderr


@pytest.mark.parametrize("words", [("pause", "mornin", "--reason", "r"), ("resume", "mornin")])
def test_a_misspelt_pause_is_told_what_it_may_be(project: Project, words: tuple[str, ...]) -> None:
    put(project, "morning")

    result = project.call("schedules", *words)

    assert result.exit_code == 3
    assert "did you mean morning?" in result.stderr


def test_a_flow_is_paused_and_resumed_with_its_schedules(project: Project) -> None:
    project.add_flow("report")
    put(project, "morning")
    put(project, "evening")
    project.call("schedules", "pause", "evening", "--reason", "first")

    paused = project.call("flows", "pause", "etl", "--reason", "r", "-o", "name")
    resumed = project.call("flows", "resume", "etl", "-o", "name")

    assert paused.stdout.split() == ["morning"]
    assert resumed.stdout.split() == ["evening", "morning"]
    assert project.call("flows", "pause", "report", "--reason", "r").exit_code == 5
    assert project.call("flows", "resume", "reprot").exit_code == 3


def test_next_is_across_everything_that_is_enabled(project: Project) -> None:
    put(project, "a", when=Cron(expression="0 7 * * *"))
    put(project, "b", when=Cron(expression="30 6 * * *"))
    put(project, "c", when=Cron(expression="* * * * *"), enabled=False)

    fires = json.loads(project.call("next", "-n", "3", "-o", "json").stdout)

    assert [(fire["schedule"], fire["at"]) for fire in fires] == [
        ("b", "2026-11-22T06:30:00.000Z"),
        ("a", "2026-11-22T07:00:00.000Z"),
        ("b", "2026-11-23T06:30:00.000Z"),
    ]
    assert list(fires[0]) == ["at", "local", "timezone", "schedule", "flow", "note"]


def test_next_ends_where_it_is_told_to(project: Project) -> None:
    put(project, "a", when=Cron(expression="0 * * * *"))

    assert len(project.call("next", "--until", "3h", "-o", "name").stdout.split()) == 3


@pytest.mark.parametrize("name", ["a", "etl"])
def test_next_takes_a_schedule_or_a_flow(project: Project, name: str) -> None:
    project.add_flow("report")
    put(project, "a", when=Cron(expression="0 7 * * *"))

    assert "2026-11-22 07:00:00 UTC  a" in project.call("next", name, "-n", "1").stdout
    assert project.call("next", "report").exit_code == 0
    assert project.call("next", "reprot").exit_code == 3


def test_the_next_fires_of_a_schedule_say_where_the_clocks_change(project: Project) -> None:
    put(project, "a", when=Cron(expression="30 2 28 3 *", timezone="Europe/Berlin"))
    put(project, "b", when=Cron(expression="30 2 31 10 *", timezone="Europe/Berlin"))

    gap = json.loads(project.call("schedules", "next", "a", "-n", "1", "-o", "json").stdout)
    fold = json.loads(project.call("schedules", "next", "b", "-n", "1", "-o", "json").stdout)

    assert gap[0]["local"] == "2027-03-28T03:00:00.000+02:00"
    assert gap[0]["note"] == "dst-gap: 02:30 does not exist on this day"
    assert fold[0]["note"] == "dst-fold: 02:30 happens twice; this is the first time"


def test_without_schedules_nothing_is_going_to_fire(project: Project) -> None:
    result = project.call("next", "-o", "json")

    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert result.stderr == "nothing is going to fire\n"
