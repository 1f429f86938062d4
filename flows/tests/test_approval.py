"""The approval: nothing is restarted before somebody agrees, or where somebody does not."""

from pathlib import Path
from threading import Event

import pytest

import schedulerd.testing

APPROVAL = Path(__file__).parents[1] / "approval.py"


@pytest.fixture(scope="module")
def daemon():
    with schedulerd.testing.daemon(f"{APPROVAL}:approval") as started:
        yield started


def asked(daemon, servers):
    """The name of a run that waits for its approval."""
    run = daemon.operations.runs.start("approval", {"servers": servers}).run.selector
    for _ in range(3_000):
        if daemon.operations.runs.get(run).state == "paused":
            return run
        Event().wait(0.02)
    raise AssertionError("it does not ask")


@pytest.mark.timeout(180)
def test_what_is_approved_goes_on_where_it_waited(daemon):
    run = asked(daemon, servers=2)

    daemon.operations.approvals.decide(run, approved=True, actor="me", reason="quiet now")

    done = daemon.wait(run)
    assert done.result == ["server-1 restarted", "server-2 restarted"]
    assert "paused" in done.states
    assert [task.name for task in done.tasks].count("plan") == 1


@pytest.mark.timeout(180)
def test_what_is_rejected_restarts_nothing(daemon):
    run = asked(daemon, servers=1)

    daemon.operations.approvals.decide(run, approved=False, actor="me", reason="not on a Friday")

    done = daemon.wait(run)
    assert done.state == "failed"
    assert [task.name for task in done.tasks] == ["plan"]
