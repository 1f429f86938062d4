"""The graph of a run, as somebody looks at it (points 25 and 26 of the pages' acceptance)."""

from dataclasses import replace
from time import monotonic

import pytest
from playwright.sync_api import Page, expect

from schedulerd.domain.runs import Run
from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskRun
from tests.builders import NOW
from tests.waiting import SLOWER
from tests.web.browser.gallery import say
from tests.web.browser.tabs import is_live
from tests.web.browser.world import World

pytestmark = pytest.mark.usefixtures("world")

MANY = 3_000
FIRST = TaskRun(number=1, name="list", state=TaskState.COMPLETED, started_at=NOW, ended_at=NOW)
MAPPED = [
    TaskRun(number=n + 2, name="load", state=TaskState.RUNNING, map_index=n, started_at=NOW, upstream=(1,))
    for n in range(MANY)
]
CHECKED = TaskRun(number=MANY + 2, name="check", state=TaskState.RUNNING, started_at=NOW, upstream=(1,))
NOTE_LONG_TASKS = """window.long = [];
new PerformanceObserver(found => window.long.push(...found.getEntries().map(one => one.duration)))
    .observe({type: "longtask", buffered: true});"""
RATIO = "graph => graph.getBoundingClientRect().width / graph.viewBox.baseVal.width"
PLACES = """() => Object.fromEntries([...document.querySelectorAll(".node")].map(node => {
    const {x, y} = node.querySelector(".box").getBoundingClientRect();
    return [node.id, [x, y]];
}))"""


def tell(world: World, run: Run, *tasks: TaskRun) -> None:
    """Have a run tell of its tasks."""
    with world.database.write() as tx:
        say(tx, run.key, tasks=tasks)


def done(task: TaskRun) -> TaskRun:
    return replace(task, state=TaskState.COMPLETED, ended_at=NOW)


def test_thousands_of_mapped_tasks_are_drawn_at_once_and_one_that_ends_changes_just_its_node(
    page: Page, world: World
) -> None:
    """Point 25."""
    run = world.gallery.add_running()
    tell(world, run, FIRST, *MAPPED, CHECKED)
    page.add_init_script(NOTE_LONG_TASKS)

    began = monotonic()
    page.goto(f"/runs/{run.id}/graph")
    expect(page.locator("#node-t2 .count")).to_have_text(f"0/{MANY}")
    assert monotonic() - began < 1 * SLOWER

    is_live(page)
    page.get_by_role("button", name="Larger").click()
    places = page.evaluate(PLACES)
    assert sorted(places) == ["node-t1", "node-t2", f"node-t{CHECKED.number}"]
    tell(world, run, done(CHECKED), *map(done, MAPPED[:17]))

    expect(page.locator(f"#node-t{CHECKED.number}")).to_have_attribute(
        "data-state", "completed", timeout=1_000 * SLOWER
    )
    expect(page.locator("#node-t2 .count")).to_have_text(f"17/{MANY}")
    expect(page.locator("#node-t2")).to_have_attribute("data-state", "running")
    assert page.evaluate(PLACES) == places
    assert max(page.evaluate("window.long"), default=0) < 200 * SLOWER


def test_the_keyboard_goes_from_node_to_node_along_the_lines_and_opens_a_task(
    page: Page, world: World
) -> None:
    """Point 26; that the graph is made larger, smaller and whole; and that it may come, and grow, while somebody looks."""
    run = world.gallery.add_running()
    beside = replace(FIRST, number=5, name="beside")
    late = replace(FIRST, number=9, name="late", upstream=(1, 5), state=TaskState.FAILED)
    plain = replace(FIRST, number=7, name="next", upstream=(1,))
    page.goto(f"/runs/{run.id}/graph")
    is_live(page)
    expect(page.locator("#node-n2")).to_have_attribute("data-state", "pending")
    tell(world, run, FIRST, beside, plain)
    expect(page.locator("#node-t7")).to_be_visible()
    page.get_by_role("button", name="Larger").click()
    tell(world, run, late)
    expect(page.locator("#node-t9")).to_be_visible()
    assert page.locator("#graph").evaluate(RATIO) == pytest.approx(1.25, abs=0.01)
    page.get_by_role("button", name="Smaller").click()
    focused = page.locator("#graph a:focus")
    width = float(page.locator("#graph").evaluate("graph => graph.getBoundingClientRect().width"))

    page.get_by_role("button", name="Whole").focus()
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("id", "node-t1")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("id", "node-t7")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("id", "node-t9")
    expect(page.locator(".way.near")).to_have_count(2)
    tell(world, run, done(late))
    expect(page.locator("#node-t9")).to_have_attribute("data-state", "completed")
    expect(page.locator(".way.near")).to_have_count(2)
    page.keyboard.press("ArrowUp")
    expect(focused).to_have_attribute("id", "node-t7")
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_attribute("id", "node-t1")
    page.keyboard.press("+")
    assert page.locator("#graph").evaluate("graph => graph.getBoundingClientRect().width") > width
    page.keyboard.press("0")
    assert page.locator("#graph").evaluate("graph => graph.getBoundingClientRect().width") <= width
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/runs/{run.id}/logs?task=5")
