"""`agents`: list, show, drain, resume."""

import json
from datetime import timedelta

import pytest

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.states import RunState
from schedulerd.version import __version__
from tests.builders import BOOT, NOW
from tests.cli.scenes import Project
from tests.store.scenes import AGENT


@pytest.fixture(autouse=True)
def beat(project: Project) -> AgentBeat:
    """A sign of life of the agent that has claimed the runs of the project, five seconds ago."""
    beat = AgentBeat(
        name=AGENT,
        host="web",
        pid=7,
        version=__version__,
        boot_id=BOOT,
        started_at=NOW - timedelta(days=1),
        beat_at=NOW - timedelta(seconds=5),
        status={"max_running": 4},
    )
    with project.database.write() as tx:
        tx.agents.beat(beat)
    return beat


def state_of(project: Project) -> str:
    (agent,) = json.loads(project.call("agents", "list", "-o", "json").stdout)
    return str(agent["state"])


def test_an_agent_is_drained_with_a_reason_lists_what_it_waits_for_and_is_resumed(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.RUNNING)

    drained = project.call("agents", "drain", AGENT, "--reason", "a new kernel")
    between = state_of(project)
    shown = project.call("agent", "show", AGENT).stdout
    resumed = project.call("agents", "resume", AGENT)

    assert (drained.exit_code, between) == (0, "draining")
    assert "it waits for\n  etl#1  running" in drained.stdout
    assert ": a new kernel" in shown
    assert (resumed.exit_code, state_of(project)) == (0, "online")
    told = [one["what"] for one in json.loads(project.call("audit", "-o", "json").stdout)]
    assert told == ["agents.resume", "agents.drain"]


def test_a_drained_agent_without_runs_can_be_stopped_and_says_so(project: Project) -> None:
    drained = project.call("agents", "drain", AGENT, "--reason", "a new kernel")

    assert "it waits for no run: it can be stopped" in drained.stdout


def test_what_cannot_be_drained_or_resumed_changes_nothing(project: Project) -> None:
    codes = [
        project.call("agents", "drain", AGENT).exit_code,
        project.call("agents", "drain", "nobody", "--reason", "x").exit_code,
        project.call("agents", "resume", AGENT).exit_code,
    ]

    assert codes == [2, 3, 5]
    assert state_of(project) == "online"
    assert json.loads(project.call("audit", "-o", "json").stdout) == []


def test_a_run_that_waits_for_a_drained_agent_says_so(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.SCHEDULED)
    project.call("agents", "drain", AGENT, "--reason", "a new kernel")

    (run,) = json.loads(project.call("ps", "-o", "json").stdout)

    assert run["reason"].startswith(f"waits: the agent {AGENT} is drained by ")
    assert run["reason"].endswith(": a new kernel")
