"""Schedules packed away by the file that they are from."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.bundles import Bundle, bundled, file_of
from schedulerd.domain.heartbeats import Heartbeat
from schedulerd.domain.retrying import RetryPolicy
from schedulerd.domain.schedules import (
    After,
    Blackout,
    BlackoutSpan,
    BlackoutWindow,
    Catchup,
    FileAppears,
    Interval,
    Once,
    Policies,
    Reboot,
    RRule,
    Webhook,
)
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings
from tests.builders import a_schedule

NIGHT = Blackout(
    windows=(BlackoutWindow(expression="0 1 * * *", duration=timedelta(hours=2)),),
    days=(date(2026, 12, 25),),
    spans=(
        BlackoutSpan(
            start=datetime.fromisoformat("2026-12-31T00:00"), end=datetime.fromisoformat("2027-01-02T00:00")
        ),
    ),
    calendars=("holidays DE-BY",),
)
KINDS: dict[str, dict[str, Any]] = {
    "cron": {"parameters": {"region": "kr", "days": [1, {"of": 2.5}]}, "blackout": NIGHT},
    "interval": {"when": Interval(every=timedelta(minutes=15)), "jitter": timedelta(seconds=30)},
    "once": {"when": Once(at=datetime.fromisoformat("2026-12-01T09:00")), "enabled": False},
    "rrule": {
        "when": RRule(expression="FREQ=DAILY", timezone="Asia/Seoul"),
        "start": datetime.fromisoformat("2026-01-01T00:00"),
    },
    "after": {"when": After(flows=("load",), states=(RunState.FAILED,))},
    "file": {"when": FileAppears(pattern="/in/*.csv"), "policies": Policies(catchup=Catchup.NONE)},
    "webhook": {"when": Webhook(hook="deploy", secret="s"), "heartbeat": Heartbeat(success="http://a")},
    "command": {
        "when": Reboot(),
        "flow": None,
        "command": "true",
        "surroundings": Surroundings(user="kim"),
        "environment": {"A": "1"},
        "retrying": RetryPolicy(retries=3),
    },
}


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_a_schedule_comes_out_as_it_was_put_in(changes: dict[str, Any]) -> None:
    definition = a_schedule(**changes)

    (found,) = Bundle([definition])

    assert found == definition
    assert hash(found.when) == hash(definition.when)


def test_a_bundle_tells_its_names_without_being_unpacked_and_finds_one() -> None:
    bundle = Bundle([a_schedule("b"), a_schedule("a")])

    assert (len(bundle), sorted(bundle.names)) == (2, ["a", "b"])
    assert [one.name for one in bundle] == ["b", "a"]
    assert bundle.named("a") == a_schedule("a")


def test_a_thousand_alike_schedules_take_less_than_thirty_bytes_each() -> None:
    definitions = [a_schedule(f"etl-{number}", origin=f"etl.toml:{number}") for number in range(1_000)]

    assert Bundle(definitions).size < 30_000


def test_schedules_are_bundled_by_the_file_that_they_are_from() -> None:
    first, second, third = (
        a_schedule(name, origin=origin)
        for name, origin in (("a", "/x:y/a.toml:3"), ("b", "flows/etl.py"), ("c", "/x:y/a.toml:9"))
    )

    found = bundled([first, second, third])

    assert {file: tuple(held) for file, held in found.items()} == {
        "/x:y/a.toml": (first, third),
        "flows/etl.py": (second,),
    }
    assert file_of(second) == "flows/etl.py"
