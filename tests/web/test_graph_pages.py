"""The graphs of runs and flows, as a browser without scripts gets them."""

import re
from dataclasses import replace
from time import perf_counter

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_command, a_file, a_flow
from tests.store.scenes import add_in, an_intake
from tests.waiting import SLOWER
from tests.web.page_scene import PageScene, Reader

MANY = 3_000
LIST = TaskRun(number=1, name="list", state=TaskState.COMPLETED, started_at=NOW, ended_at=NOW)


def bring(tx: Transaction, run: RunKey, *tasks: TaskRun) -> None:
    """Have a run tell of its tasks."""
    was = tx.runs.by_key(run).position
    now = Position(journal=was.journal + 1_000_000)
    tx.intake.take([an_intake(run, was=was, now=now, moves=(), tasks=tasks)])


def mapped(name: str = "load", *, done: int, first: int = 2) -> list[TaskRun]:
    return [
        TaskRun(
            number=first + index,
            name=name,
            state=TaskState.COMPLETED if index < done else TaskState.RUNNING,
            map_index=index,
            started_at=NOW,
            ended_at=NOW + A_SECOND if index < done else None,
            upstream=(1,),
        )
        for index in range(MANY)
    ]


def boxes(html: str) -> dict[str, tuple[str, str]]:
    """Of each node what it is called for those who do not see it, and its state."""
    found = re.findall(r'<a id="(node-\w+)" class="node" data-state="(\w+)".*?aria-label="([^"]*)"', html)
    return {key: (label, state) for key, state, label in found}


def test_each_task_is_a_link_with_its_state_and_the_table_of_them_is_a_link_away(
    scene: PageScene, reader: Reader
) -> None:
    html = reader.get(f"/runs/{scene.failed.id}/graph").text

    assert boxes(html) == {
        "node-t1": ("extract: completed", "completed"),
        "node-t2": ("load: failed", "failed"),
    }
    assert f'href="/runs/{scene.failed.id}/logs?task=2"' in html
    assert f'<a href="/runs/{scene.failed.id}">All tasks as a table</a>' in html


def test_what_a_run_has_not_begun_is_pending_and_of_one_that_is_over_it_was_not_run(
    scene: PageScene, reader: Reader
) -> None:
    with scene.database.write() as tx:
        over = add_in(tx, scene.flow, RunState.CANCELLED)
        for run in (scene.running.key, over):
            bring(
                tx,
                run,
                TaskRun(number=1, name="extract", state=TaskState.COMPLETED, started_at=NOW, ended_at=NOW),
            )

    going = boxes(reader.get(f"/runs/{scene.running.id}/graph").text)
    ended = boxes(reader.get(f"/runs/{scene.operations.runs.get('etl#4').id}/graph").text)

    assert [state for _, state in going.values()] == ["completed", "pending", "pending"]
    assert [label for label, _ in ended.values()] == [
        "extract: completed",
        "transform: not run",
        "load: not run",
    ]


def test_thousands_of_mapped_tasks_are_one_small_box_that_is_drawn_at_once(
    scene: PageScene, reader: Reader
) -> None:
    """Point 25, of the server."""
    with scene.database.write() as tx:
        bring(
            tx,
            scene.running.key,
            LIST,
            *mapped(done=1_200),
        )
    reader.get(f"/runs/{scene.failed.id}/graph")  # the templates are compiled

    began = perf_counter()
    html = reader.get(f"/runs/{scene.running.id}/graph").text
    took = perf_counter() - began

    assert boxes(html)["node-t2"] == ("load: 1200 of 3000, 1800 running, 1200 completed", "running")
    assert len(boxes(html)) == 2
    assert len(html) < 80 * 1024
    assert took < 1 * SLOWER


def test_the_graph_of_a_flow_is_that_of_its_definition_and_says_how_its_tasks_usually_do(
    scene: PageScene, reader: Reader
) -> None:
    page = reader.see("/flows/etl/graph")

    assert [one for one in page.ids if one.startswith("node-")] == ["node-n0", "node-n1", "node-n2"]
    assert "load 1.0s · 100 % failed" in page.text
    assert "transform 0 0" in page.text


def test_of_a_flow_in_plain_python_it_is_that_of_the_newest_run_that_completed_with_tasks(
    scene: PageScene, reader: Reader
) -> None:
    with scene.database.write() as tx:
        plain = a_flow("plain", tasks=(), edges=())
        (flow,) = tx.flows.put_file(a_file(plain, version="cd" * 32), now=NOW)
    empty = reader.see("/flows/plain/graph")
    with scene.database.write() as tx:
        run = add_in(tx, flow, RunState.RUNNING)
        bring(tx, run, LIST, *mapped(done=MANY))

    page = reader.see("/flows/plain/graph")

    assert "No run of it had tasks" in empty.text
    assert "As it was in plain#1" in page.text
    assert "load ×3000" in page.text


def test_a_command_has_no_tasks_and_no_graph_is_offered(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        tx.flows.put_command(a_command(), now=NOW)

    assert "/flows/etl/graph" in reader.get("/flows/etl").text
    assert "/flows/dump/graph" not in reader.get("/flows/dump").text
    assert "none are known" in reader.see("/flows/dump/graph").text


def test_a_long_name_is_shortened_and_whole_for_who_points_at_it(scene: PageScene, reader: Reader) -> None:
    long = "정산-및-집계-보고서를-보내는-아주-긴-이름"
    with scene.database.write() as tx:
        bring(
            tx, scene.running.key, replace(LIST, name=long), replace(LIST, number=2, name="b", upstream=(1,))
        )

    html = reader.get(f"/runs/{scene.running.id}/graph").text

    assert f"<title>{long}</title>" in html
    assert ">정산-및-집계-보고…</text>" in html


def test_a_line_goes_round_what_stands_between_its_ends(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        second, third = (replace(LIST, number=n, name=f"n{n}", upstream=(n - 1,)) for n in (2, 3))
        bring(tx, scene.running.key, LIST, second, replace(third, upstream=(1, 2)))

    html = reader.get(f"/runs/{scene.running.id}/graph").text

    paths = dict(re.findall(r'<path id="way-(\S+)" class="way" d="([^"]*)"', html))
    assert set(paths) == {"t1-t2", "t2-t3", "t1-t3"}
    assert paths["t1-t3"].count("C") == 2
    assert "h184" in paths["t1-t3"]
