"""What is in force, of all that the files say."""

from datetime import timedelta
from typing import Any

import pytest

from schedulerd.domain.definitions import InForce, resolve
from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.schedules import ScheduleDefinition, Webhook
from schedulerd.domain.surroundings import Surroundings
from tests.builders import a_file, a_flow, a_schedule


def file(path: str, *flows: FlowDefinition) -> FileDefinition:
    return a_file(*flows, file=path)


def flow(name: str, path: str, **changes: Any) -> FlowDefinition:
    return a_flow(name, file=path, **changes)


def command(name: str, origin: str = "schedules/a.toml:3") -> ScheduleDefinition:
    return a_schedule(name, flow=None, command="true", origin=origin)


def names(found: InForce) -> list[str]:
    return [one.name for one in found.schedules]


def reasons(found: InForce, path: str) -> list[str]:
    return [failure.message for failure in found.errors.get(path, ())]


def test_nothing_is_in_force_where_there_is_nothing() -> None:
    assert resolve([], []) == InForce(files=(), commands=(), schedules=(), errors={})


def test_a_name_is_held_by_the_first_file_by_path_whatever_the_order() -> None:
    first, second = (
        file("flows/a.py", flow("etl", "flows/a.py")),
        file("flows/b.py", flow("etl", "flows/b.py")),
    )

    for order in ([first, second], [second, first]):
        found = resolve(order, [])

        assert [one.flows for one in found.files] == [first.flows, ()]
        assert reasons(found, "flows/b.py") == ["the flow name 'etl' is taken by flows/a.py"]
        assert "flows/a.py" not in found.errors


def test_a_file_that_loses_one_name_keeps_its_others() -> None:
    first = file("flows/a.py", flow("etl", "flows/a.py"))
    second = file("flows/b.py", flow("etl", "flows/b.py"), flow("report", "flows/b.py"))

    found = resolve([first, second], [])

    assert [one.name for one in found.files[1].flows] == ["report"]


def test_a_file_that_moved_is_in_force_at_its_new_place() -> None:
    moved = file("flows/new/etl.py", flow("etl", "flows/new/etl.py"))

    found = resolve([moved], [a_schedule(flow="etl")])

    assert found.files == (moved,)
    assert not found.errors


def test_a_schedule_without_its_flow_says_which_is_near() -> None:
    found = resolve(
        [file("flows/etl.py", flow("ETL-pipeline", "flows/etl.py"))], [a_schedule(flow="ETL-pipelin")]
    )

    assert found.schedules == ()
    (failure,) = found.errors["config/schedules/etl.toml"]
    assert failure.message.endswith("there is no flow 'ETL-pipelin'; did you mean 'ETL-pipeline'?")
    assert failure.line == 1


def test_a_schedule_of_a_flow_that_lost_its_name_runs_the_one_that_holds_it() -> None:
    holder = file("flows/a.py", flow("etl", "flows/a.py"))
    loser = file(
        "flows/b.py", flow("etl", "flows/b.py", schedules=(a_schedule("lost", origin="flows/b.py"),))
    )

    found = resolve([holder, loser], [a_schedule("kept")])

    assert names(found) == ["kept"]


SCHEMA = {
    "properties": {"region": {"type": "string"}, "day": {}},
    "required": ["region"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"region": "kr"}, None),
        ({"region": "kr", "day": "2026-11-22"}, None),
        ({}, "flow 'etl': parameter 'region' is required"),
        ({"region": "kr", "dya": 1}, "flow 'etl': there is no parameter 'dya'; did you mean 'day'?"),
        ({"region": 1}, "flow 'etl': parameter 'region': 1 is not a text"),
    ],
)
def test_the_parameters_of_a_schedule_fit_its_flow(parameters: dict[str, Any], fault: str | None) -> None:
    etl = file("flows/etl.py", flow("etl", "flows/etl.py", parameters=SCHEMA))

    found = resolve([etl], [a_schedule(parameters=parameters)])

    assert names(found) == ([] if fault else ["etl-morning"])
    assert reasons(found, "config/schedules/etl.toml") == (
        [f"schedule 'etl-morning': {fault}"] if fault else []
    )


def test_a_flow_without_parameters_says_so() -> None:
    found = resolve([file("flows/etl.py", flow("etl", "flows/etl.py"))], [a_schedule(parameters={"x": 1})])

    assert "takes no parameters" in reasons(found, "config/schedules/etl.toml")[0]


def test_a_command_schedule_is_a_flow_of_its_own_name() -> None:
    found = resolve([], [command("dump")])

    (dump,) = found.commands
    assert (dump.name, dump.kind, dump.file, dump.command) == (
        "dump",
        FlowKind.COMMAND,
        "schedules/a.toml",
        "true",
    )
    assert names(found) == ["dump"]


def test_a_command_may_not_take_the_name_of_a_flow() -> None:
    found = resolve([file("flows/etl.py", flow("etl", "flows/etl.py"))], [command("etl")])

    assert found.commands == ()
    assert found.schedules == ()
    assert reasons(found, "schedules/a.toml") == ["the name 'etl' is taken by the flow of flows/etl.py"]


def test_a_schedules_name_is_held_by_the_first_and_files_of_schedules_go_first() -> None:
    etl = file(
        "flows/etl.py", flow("etl", "flows/etl.py", schedules=(a_schedule("morning", origin="flows/etl.py"),))
    )
    first, second = (a_schedule("morning", origin=f"schedules/{name}.toml:7") for name in "ab")

    found = resolve([etl], [first, second])

    assert found.schedules == (first,)
    assert reasons(found, "schedules/b.toml") == [
        "the schedule name 'morning' is taken by schedules/a.toml:7"
    ]
    assert len(found.errors["flows/etl.py"]) == 1


def test_the_schedules_of_flows_are_in_force() -> None:
    own = a_schedule("etl#0", origin="flows/etl.py")

    found = resolve([file("flows/etl.py", flow("etl", "flows/etl.py", schedules=(own,)))], [])

    assert found.schedules == (own,)


def test_every_fault_of_a_file_is_told() -> None:
    found = resolve([], [a_schedule(f"s{number}", flow="no", origin=f"s.toml:{number}") for number in (1, 2)])

    assert [failure.line for failure in found.errors["s.toml"]] == [1, 2]


def test_a_command_has_the_surroundings_that_its_schedule_gives_it() -> None:
    surroundings: dict[str, Any] = {
        "surroundings": Surroundings(nice=5),
        "environment": {"A": "1"},
        "stdin": "hello\n",
        "mail_to": "kim",
    }

    (flow,) = resolve(
        [],
        [
            a_schedule(
                "dump", flow=None, command="cat", origin="a:1", timeout=timedelta(minutes=1), **surroundings
            )
        ],
    ).commands

    assert {name: getattr(flow, name) for name in surroundings} == surroundings
    assert flow.timeout_seconds == 60.0


OF_A_CALL = {
    "type": "object",
    "properties": {"event": {}, "region": {"type": "string"}},
    "required": ["event", "region"],
    "additionalProperties": False,
}


def called(name: str, parameter: str | None, **given: Any) -> ScheduleDefinition:
    when = Webhook(hook="deploy", secret="deploy", parameter=parameter)
    return a_schedule(name, when=when, parameters=given, origin=f"{name}.toml:1")


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        (called("a", "event", region="kr"), None),
        (called("a", "*"), None),
        (called("a", "*", region="kr"), None),
        (called("a", None, event=1, region="kr"), None),
        (called("a", "event"), "parameter 'region' is required"),
        (called("a", None, region="kr"), "parameter 'event' is required"),
        (called("a", "body", region="kr"), "has no parameter 'body' to be given the body"),
        (
            called("a", "event", event=1, region="kr"),
            "the parameter 'event' is the body, and cannot be given",
        ),
        (called("a", "*", colour="red"), "there is no parameter 'colour'"),
        (called("a", "*", region=3), "parameter 'region': 3 is not a text"),
    ],
)
def test_what_a_call_gives_fits_the_flow_as_far_as_can_be_told_before(
    schedule: ScheduleDefinition, fault: str | None
) -> None:
    found = resolve([file("etl.py", flow("etl", "etl.py", parameters=OF_A_CALL))], [schedule])

    assert names(found) == ([] if fault else ["a"])
    assert fault is None or fault in reasons(found, "a.toml")[0]


def test_a_webhook_is_one_schedules() -> None:
    found = resolve(
        [file("etl.py", flow("etl", "etl.py", parameters=OF_A_CALL))], [called("a", "*"), called("b", "*")]
    )

    assert names(found) == ["a"]
    assert reasons(found, "b.toml") == ["schedule 'b': the webhook 'deploy' is taken by a.toml:1"]
