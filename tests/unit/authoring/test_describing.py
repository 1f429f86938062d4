"""A flow as a JSON-able dict."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, Parameter, flow, task
from schedulerd.authoring.describing import describe
from schedulerd.authoring.flows import AnyFlow
from schedulerd.schedules import Cron
from tests.unit.authoring.tape import a_context, load


@task
def given(value: Any) -> Any:
    return value


def test_a_graph_is_described_with_its_tasks_edges_and_parameters(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow, Parameter, task
from schedulerd.schedules import Interval
@task(name="read")
def extract(day, limit): return []
@task
def load(rows): ...
with Flow("ETL", Interval("15s"), description="  Every night.", tags=["a"], timeout_seconds=60) as etl:
    load(extract(Parameter("day"), Parameter("limit", 10)))
"""
    found, _ = load(tmp_path, text)

    described = describe(found.flows[0], "etl")

    assert described == {
        "name": "ETL",
        "style": "graph",
        "entrypoint": "etl",
        "line": 8,
        "description": "Every night.",
        "tags": ["a"],
        "parameters": {
            "type": "object",
            "properties": {"day": {}, "limit": {"default": 10}},
            "required": ["day"],
            "additionalProperties": False,
        },
        "tasks": ["read", "load"],
        "edges": [[0, 1]],
        "schedules": [{"every": "15s"}],
        "timeout_seconds": 60.0,
        "pool": None,
        "priority": 0,
        "max_running": None,
        "retrying": {},
        "surroundings": {},
        "hooks": [],
    }


def test_a_function_is_described_with_the_schema_of_its_parameters() -> None:
    @flow
    def etl(day: date) -> None:
        """Load one day.

        And more.
        """

    described = describe(etl, "etl")

    assert (described["style"], described["tasks"], described["edges"]) == ("function", [], [])
    assert described["description"] == "Load one day.\n\nAnd more."
    assert described["parameters"]["required"] == ["day"]


def test_a_description_is_json_whatever_a_schedule_holds() -> None:
    class Region:
        def __str__(self) -> str:
            return "kr"

    drawn = Flow("x", Cron("0 6 * * *", parameters={"day": date(2026, 1, 2), "region": Region()}))

    described = describe(drawn)

    assert described["schedules"][0]["parameters"] == {"day": "2026-01-02", "region": "kr"}
    assert json.loads(json.dumps(described)) == described


def test_a_number_that_json_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        describe(Flow("x", Cron("0 6 * * *", parameters={"p": float("nan")})))


def test_a_graph_that_became_a_circle_after_its_block_is_refused() -> None:
    with Flow("x") as drawn:
        first = given(1)
        second = given(first)
    first.set_upstream(second)

    with pytest.raises(ValueError, match="circle"):
        describe(drawn)


def test_a_default_without_json_is_left_out() -> None:
    with Flow("x") as drawn:
        given(Parameter("p", default=object()))

    assert describe(drawn)["parameters"]["properties"] == {"p": {}}


def test_a_third_style_has_to_say_how_it_runs() -> None:
    bare = AnyFlow("x", schedule=None, description="", tags=(), timeout_seconds=None)

    assert describe(bare)["parameters"] == {}
    with pytest.raises(NotImplementedError):
        bare.perform({}, a_context())
    with pytest.raises(NotImplementedError):
        bare.value(Flow("y").run())


def test_the_heartbeat_of_a_flow_is_for_its_schedules_that_have_none() -> None:
    own, flows = Cron("5 * * * *", heartbeat={"failure": "https://hc/b"}), "https://hc/a"

    @flow(schedule=[Cron("0 * * * *"), own], heartbeat=flows)
    def tidy() -> None: ...

    graph = Flow("graph", Cron("0 * * * *"), heartbeat=flows)

    assert [one["heartbeat"] for one in describe(tidy)["schedules"]] == [flows, {"failure": "https://hc/b"}]
    assert describe(tidy.with_options(name="b"))["schedules"] == describe(tidy)["schedules"]
    assert [one["heartbeat"] for one in describe(graph)["schedules"]] == [flows]
    assert "https" not in repr(own)


def test_a_heartbeat_without_a_schedule_is_a_mistake() -> None:
    @flow(heartbeat="https://hc/secret")
    def tidy() -> None: ...

    with pytest.raises(ValueError, match="'tidy' has a heartbeat and no schedule") as caught:
        describe(tidy)
    assert "secret" not in str(caught.value)
