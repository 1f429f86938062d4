"""`simulate`: what schedules would do over a stretch of time."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.schedules import Catchup, Cron, Policies
from tests.builders import NOW
from tests.cli.scenes import Project
from tests.cli.test_schedules import put

FIELDS = [
    "at",
    "schedule",
    "flow",
    "due_at",
    "local",
    "timezone",
    "slot",
    "outcome",
    "reason",
    "count",
    "first_due_at",
]
HOURLY = Cron(expression="0 * * * *")
HALF_PAST_TWO = Cron(expression="30 2 * * *", timezone="Europe/Berlin")
MORNING = ["--from", "2026-11-23T00:00Z", "--to", "2026-11-23T06:00Z"]


@pytest.fixture(autouse=True)
def _flow(project: Project) -> None:
    project.add_flow()


def simulated(project: Project, *args: str) -> list[dict[str, Any]]:
    result = project.call("simulate", *args, "-o", "json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_person_sees_what_starts_and_what_is_skipped_and_why(project: Project) -> None:
    put(project, "hourly", when=HOURLY)

    result = project.call("simulate", *MORNING, "--down", "2026-11-23T01:30Z..2026-11-23T04:30Z")

    assert result.stdout.splitlines()[0].split() == ["AT", "SCHEDULE", "FLOW", "OUTCOME", "DUE", "REASON"]
    assert [" ".join(line.split()[1:3]) for line in result.stdout.splitlines()[1:4]] == [
        "2026-11-23 00:00:00",
        "2026-11-23 01:00:00",
        "2026-11-23 04:30:00",
    ]
    assert "» skipped  Mon 2026-11-23 02:00:00 UTC  coalesced" in result.stdout
    assert "▸ starts" in result.stdout
    assert result.stderr == "4 due times start, 2 are skipped: 2 coalesced\n"


def test_a_decision_in_json_has_all_that_is_known_of_it(project: Project) -> None:
    put(project, "morning", when=HALF_PAST_TWO)

    (start,) = simulated(project, "--from", "2026-03-29T00:00Z", "--to", "2026-03-30T00:00Z")

    assert list(start) == FIELDS
    assert start == {
        "at": "2026-03-29T01:00:00.000Z",
        "schedule": "morning",
        "flow": "etl",
        "due_at": "2026-03-29T01:00:00.000Z",
        "local": "2026-03-29T03:00:00.000+02:00",
        "timezone": "Europe/Berlin",
        "slot": "2026-03-29T02:30:00+01:00",
        "outcome": "starts",
        "reason": "",
        "count": 1,
        "first_due_at": None,
    }


def test_a_span_of_skips_is_told_as_one(project: Project) -> None:
    put(
        project,
        "often",
        when=Cron(expression="* * * * *"),
        policies=Policies(catchup=Catchup.NONE),
    )
    stretch = ["--from", "2026-11-23T00:00Z", "--to", "2026-11-24T00:01Z"]
    down = ["--down", "2026-11-23T00:00Z..2026-11-24T00:00:30Z"]

    result = project.call("simulate", *stretch, *down)
    span, start = simulated(project, *stretch, *down)

    assert (span["count"], span["reason"], span["outcome"]) == (1_440, "misfire", "skipped")
    assert (span["first_due_at"], span["due_at"]) == ("2026-11-23T00:00:00.000Z", "2026-11-23T23:59:00.000Z")
    assert start["due_at"] == "2026-11-24T00:00:00.000Z"
    assert "misfire: 1,440 due times from Mon 2026-11-23 00:00:00 UTC" in result.stdout
    assert "1,440 are skipped: 1,440 misfire" in result.stderr


@pytest.mark.parametrize("name", ["a", "etl"])
def test_one_schedule_or_flow_may_be_asked_for(project: Project, name: str) -> None:
    project.add_flow("report")
    put(project, "a", when=HOURLY)

    assert len(simulated(project, name, *MORNING)) == 6
    assert simulated(project, "report", *MORNING) == []
    assert project.call("simulate", "reprot", *MORNING).exit_code == 3


def test_times_without_a_zone_are_meant_in_the_zone_of_the_person(project: Project) -> None:
    put(project, "morning", when=HALF_PAST_TWO)

    stretch = ["--tz", "Europe/Berlin", "--from", "2026-10-24T02:00", "--to", "2026-10-26T03:00"]
    found = simulated(project, *stretch, "--down", "2026-10-25T02:15..2026-10-25T12:00")

    assert [(one["at"], one["due_at"]) for one in found] == [
        ("2026-10-24T00:30:00.000Z", "2026-10-24T00:30:00.000Z"),
        ("2026-10-25T11:00:00.000Z", "2026-10-25T00:30:00.000Z"),
        ("2026-10-26T01:30:00.000Z", "2026-10-26T01:30:00.000Z"),
    ]


def test_runs_that_take_long_overlap(project: Project) -> None:
    put(project, "hourly", when=HOURLY)

    found = simulated(project, *MORNING, "--takes", "90m")

    assert [one["reason"] for one in found] == ["", "overlap", "", "overlap", "", "overlap"]


def test_a_long_stretch_is_cut_and_says_how_much_more_there_is(project: Project) -> None:
    put(project, "hourly", when=HOURLY)

    some = project.call("simulate", *MORNING, "-n", "4", "-o", "name")
    everything = project.call("simulate", "--from", "now", "--to", "30d", "-n", "0", "-o", "name")
    endless = project.call("simulate", "--from", "now", "--to", "2198-01-01", "-n", "1", "-o", "name")

    assert len(some.stdout.split()) == 4
    assert some.stderr.splitlines() == [
        "2 more are not shown (-n 0 shows all)",
        "6 due times start, 0 are skipped",
    ]
    assert len(everything.stdout.split()) == 30 * 24
    assert endless.stderr.splitlines() == [
        "more than 10,000 more are not shown (-n 0 shows all)",
        "in the first 10,002 lines: 10,002 due times start, 0 are skipped",
    ]


def test_every_format_tells_the_same(project: Project) -> None:
    put(project, "hourly", when=HOURLY)

    lines = project.call("simulate", *MORNING, "-o", "jsonl").stdout.splitlines()
    table = project.call("simulate", *MORNING, "-o", "csv").stdout.splitlines()

    assert [json.loads(line) for line in lines] == simulated(project, *MORNING)
    assert table[0].split(",") == FIELDS
    assert len(table) == 7
    assert "2026-11-23T00:00 UTC" in project.call("simulate", *MORNING, "-o", "wide").stdout


def test_without_schedules_it_says_what_to_type_next(project: Project) -> None:
    result = project.call("simulate", *MORNING, "-o", "json")

    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert "write one into config/schedules/, and `schedulerd start`" in result.stderr


def test_a_stretch_in_which_nothing_is_due_is_no_error(project: Project) -> None:
    put(project, "yearly", when=Cron(expression="0 0 1 1 *"))

    result = project.call("simulate", *MORNING)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "nothing is due in this stretch\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["--from", "2d", "--to", "1d"], "the stretch must end after it begins", id="order"),
        pytest.param(["--from", "1d", "--to", "1d"], "the stretch must end after it begins", id="empty"),
        pytest.param([*MORNING, "--down", "2026-11-23T04:00Z"], "with .. between", id="one moment"),
        pytest.param([*MORNING, "--down", "soon..later"], "'soon' is no time", id="no time"),
        pytest.param(
            [*MORNING, "--down", "2026-11-23T04:00Z..2026-11-23T03:00Z"],
            "2026-11-23T04:00:00Z..2026-11-23T03:00:00Z: a downtime must end after it begins",
            id="downtime order",
        ),
        pytest.param(
            [*MORNING, "--down", "2026-11-22T04:00Z..2026-11-23T03:00Z"],
            "begin the stretch earlier",
            id="early",
        ),
        pytest.param(
            [*MORNING, "--down", "2026-11-23T04:00Z..2026-11-23T06:00Z"], "end the stretch later", id="late"
        ),
        pytest.param([*MORNING, "--takes", "long"], "'long'", id="takes"),
        pytest.param(["--from", "now"], "'--to'", id="no end"),
    ],
)
def test_a_stretch_that_cannot_be_is_a_usage_error(project: Project, args: list[str], said: str) -> None:
    result = project.call("simulate", *args)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_nothing_is_recorded(project: Project) -> None:
    put(project, "hourly", when=HOURLY)

    simulated(project, *MORNING)

    (shown,) = json.loads(project.call("schedules", "list", "-o", "json").stdout)
    assert datetime.fromisoformat(shown["next_due"]) == NOW + timedelta(hours=1)
    assert json.loads(project.call("runs", "list", "-o", "json").stdout) == []


@pytest.mark.parametrize(
    "stretch", [("0001-01-01", "0001-01-02"), ("2026-01-01", "9999-12-31"), ("9998-01-01", "9999-01-01")]
)
def test_a_stretch_of_far_away_years_is_a_usage_error(project: Project, stretch: tuple[str, str]) -> None:
    result = project.call("simulate", "--from", stretch[0], "--to", stretch[1])

    assert result.exit_code == 2
    assert "is not one of 1971 to 2198" in result.stderr
