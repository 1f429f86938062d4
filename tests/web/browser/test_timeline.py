"""The tasks of a run over time (point 24 of the pages' acceptance)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Position, Run
from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from tests.builders import NOW
from tests.web.browser.gallery import take
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")

BARS = """row => {
    const lane = row.querySelector(".lane svg").getBoundingClientRect();
    return [...row.querySelectorAll(".lane .bar")].map(bar => {
        const {left, width} = bar.getBoundingClientRect();
        return {left: left - lane.left, width, lane: lane.width, state: bar.dataset.state};
    });
}"""


def at(seconds: float) -> datetime:
    return NOW - timedelta(seconds=100) + timedelta(seconds=seconds)


def a_run(world: World) -> Run:
    """A run with a task that was tried three times between two others, and one that had no turn."""
    run = world.gallery.add_running()
    done, late = TaskState.COMPLETED, TaskState.UPSTREAM_FAILED
    tasks = (
        TaskRun(number=1, name="extract", state=done, started_at=at(0), ended_at=at(7.3)),
        TaskRun(
            number=2, name="load", state=TaskState.FAILED, attempt=3, started_at=at(7.3), ended_at=at(61)
        ),
        TaskRun(number=3, name="report", state=done, started_at=at(61), ended_at=at(97.5)),
        TaskRun(number=4, name="send", state=late, ended_at=at(61)),
    )
    attempts = (
        TaskAttempt(number=2, attempt=1, ended_at=at(20)),
        TaskAttempt(number=2, attempt=2, started_at=at(25), ended_at=at(40)),
        TaskAttempt(number=2, attempt=3, started_at=at(50)),
    )
    with world.database.write() as tx:
        take(tx, Intake(run=run.key, was=Position(), now=Position(), tasks=tasks, attempts=attempts))
    return run


def stretches(task: dict[str, Any]) -> list[tuple[str, str]]:
    """From when to when the API says that a task ran: in each of its attempts, or at once."""
    told = task["attempts"] or ([task] if task["started_at"] else [])
    return [(one["started_at"], one["ended_at"]) for one in told]


def test_bars_lie_where_the_data_says_and_the_table_says_the_same(page: Page, world: World) -> None:
    """Point 24."""
    run = a_run(world)
    page.goto(f"/runs/{run.id}")
    told = page.request.get(f"/api/v1/runs/{run.id}/tasks").json()
    everything = [datetime.fromisoformat(one) for task in told for pair in stretches(task) for one in pair]
    began, length = min(everything), max(everything) - min(everything)

    assert [len(stretches(task)) for task in told] == [1, 3, 1, 0]
    for task in told:
        row = page.locator(f"#task-{task['id']}")
        expect(row.locator("td").nth(1)).to_contain_text(task["name"])
        expect(row.locator(".state")).to_have_attribute("data-state", task["state"])
        if not stretches(task):
            expect(row.locator(".lane svg")).to_have_count(0)
            continue
        bars = row.evaluate(BARS)
        assert len(bars) == len(stretches(task))
        for bar, (start, end) in zip(bars, stretches(task), strict=True):
            left = (datetime.fromisoformat(start) - began) / length * bar["lane"]
            width = (datetime.fromisoformat(end) - datetime.fromisoformat(start)) / length * bar["lane"]
            assert abs(bar["left"] - left) <= 2
            assert abs(bar["width"] - width) <= 2
        said = row.get_by_role("img").get_attribute("aria-label")
        assert said == ", ".join(f"{clock(start)} – {clock(end)}" for start, end in stretches(task))
    assert [bar["state"] for bar in page.locator("#task-2").evaluate(BARS)] == [
        "retrying",
        "retrying",
        "failed",
    ]
    expect(page.locator("#task-2")).to_contain_text("attempt 3")
    expect(page.locator("#task-2 td").nth(2)).to_have_text("53s")


def clock(moment: str) -> str:
    """The time of day in Seoul, where the reader is."""
    return (datetime.fromisoformat(moment) + timedelta(hours=9)).strftime("%H:%M:%S")
