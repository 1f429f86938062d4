"""What a run's process is told: the request, from its flow and what is usual."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.flows import Flow, FlowDefinition
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.surroundings import Surroundings
from schedulerd.scheduler.launching import Launch, Usual, request_of
from tests.builders import NOW, a_command, a_flow, a_run

LAUNCH = Launch(
    state_dir=Path("/srv/.state"),
    code=Path("/srv/.state/code"),
    directory=Path("/srv"),
    grace=timedelta(seconds=1),
)


def request(definition: FlowDefinition, usual: Usual | None = None) -> dict[str, Any]:
    flow = Flow(
        key=FlowKey(1), definition=definition, version=None, version_hash=None, first_seen=NOW, changed_at=NOW
    )
    launch = (
        LAUNCH
        if usual is None
        else Launch(
            state_dir=LAUNCH.state_dir,
            code=LAUNCH.code,
            directory=LAUNCH.directory,
            grace=LAUNCH.grace,
            usual=usual,
        )
    )
    return request_of(a_run(), flow, launch)


@pytest.mark.parametrize("definition", [a_flow(), a_command()])
def test_a_run_of_which_nothing_is_said_is_told_nothing(definition: FlowDefinition) -> None:
    found = request(definition)

    assert "surroundings" not in found
    assert (found["directory"], found["timeout_seconds"]) == ("/srv", None)


@pytest.mark.parametrize("definition", [a_flow, a_command])
def test_paths_are_whole_and_our_variables_win(definition: Any) -> None:
    surroundings = Surroundings(directory="work", env_file="vars", nice=0)

    found = request(definition(surroundings=surroundings, environment={"A": "1", "SCHEDULERD_FLOW": "mine"}))

    assert found["directory"] == "/srv/work"
    assert found["surroundings"] == {"env_file": "/srv/vars", "nice": 0}
    assert found["environment"]["A"] == "1"
    assert found["environment"]["SCHEDULERD_FLOW"] == "etl"


def test_what_is_usual_holds_where_nothing_is_said() -> None:
    usual = Usual(surroundings=Surroundings(memory_bytes=1, nice=1), timeout=timedelta(seconds=9))

    found = request(a_flow(surroundings=Surroundings(nice=2)), usual)

    assert found["surroundings"] == {"memory_bytes": 1, "nice": 2}
    assert found["timeout_seconds"] == 9.0
    assert request(a_flow(timeout_seconds=0.0), usual)["timeout_seconds"] is None


@pytest.mark.parametrize(
    ("surroundings", "home"), [(Surroundings(), "/home/kim"), (Surroundings(directory="/tmp"), None)]
)
def test_a_command_with_a_home_begins_there_unless_it_has_a_directory(
    surroundings: Surroundings, home: str | None
) -> None:
    found = request(a_command(surroundings=surroundings, environment={"HOME": "/home/kim"}))

    assert found["home"] == home
