"""`agents`: list, show, drain, resume."""

import gc
import json
from datetime import timedelta

import pytest

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.states import RunState
from schedulerd.version import __version__
from tests.builders import BOOT, NOW
from tests.cli.scenes import Project, StillClock
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


def test_a_drain_is_waited_for_and_stays_where_that_takes_too_long(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    clock = StillClock(step=1.0)

    late = project.call("agents", "drain", AGENT, "--reason", "x", "--wait", "--timeout", "2s", clock=clock)
    between = state_of(project)
    project.call("agents", "resume", AGENT)
    project.move(key, RunState.COMPLETED)
    done = project.call("agents", "drain", AGENT, "--reason", "x", "--wait")
    alone = project.call("agents", "drain", AGENT, "--reason", "x", "--timeout", "2s")

    assert (late.exit_code, between) == (7, "draining")
    assert "etl#1 goes on" in late.stderr
    assert (done.exit_code, alone.exit_code) == (0, 2)
    assert "it waits for no run" in done.stdout


def test_who_waits_for_a_drain_looks_for_garbage_which_who_only_asks_for_it_does_not(
    project: Project,
) -> None:
    gc.disable()
    try:
        project.call("agents", "drain", AGENT, "--reason", "x")
        before = gc.isenabled()
        project.call("agents", "resume", AGENT)
        project.call("agents", "drain", AGENT, "--reason", "x", "--wait")

        assert (before, gc.isenabled()) == (False, True)
    finally:
        gc.enable()


def test_an_agent_that_is_gone_is_forgotten_and_one_that_lives_or_has_runs_is_not(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    later = StillClock(NOW + timedelta(minutes=1))

    lives = project.call("agents", "forget", AGENT)
    has_runs = project.call("agents", "forget", AGENT, clock=later)
    project.move(key, RunState.COMPLETED)
    done = project.call("agents", "forget", AGENT, clock=later)

    assert [one.exit_code for one in (lives, has_runs, done)] == [5, 5, 0]
    assert "lives" in lives.stderr
    assert "etl#1 for one" in has_runs.stderr
    assert json.loads(project.call("agents", "list", "-o", "json").stdout) == []


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
