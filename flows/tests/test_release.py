"""The approval: nothing is published before somebody has said so."""

from pathlib import Path

import schedulerd.testing

RELEASE = Path(__file__).parents[1] / "release.py"


def test_without_anybody_to_ask_nothing_is_published():
    with schedulerd.testing.history() as seen:
        run = seen.run(RELEASE, {"version": "1.2"})

    assert run.state == "failed"
    assert "waits for approval" in run.message
    assert [task.name for task in run.tasks] == ["changes"]
