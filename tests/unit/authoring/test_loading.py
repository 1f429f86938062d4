"""Loading a flow file: what it makes is found, what it starts is noted and not run."""

import sys
from pathlib import Path
from typing import Any

import pytest

from schedulerd.authoring.describing import describe
from schedulerd.authoring.loading import is_loading, loading, note_done
from schedulerd.authoring.placeholders import Placeholder
from schedulerd.schedules import Cron, Interval, RRule
from tests.unit.authoring.tape import Tape, load, run

FLOWS = Path(__file__).parents[3] / "flows"


def test_the_example_is_found_and_not_run_by_being_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, module = load(tmp_path, (FLOWS / "etl.py").read_text())

    [(entrypoint, flow)] = found.named(vars(module))

    assert (entrypoint, flow.name) == ("flow", "ETL-pipeline")
    assert describe(flow)["edges"] == [[0, 1], [1, 2]]
    assert [note.verb for note in found.notes] == ["run"]
    assert capsys.readouterr() == ("", "")


def test_the_example_runs_once_when_it_is_executed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = load(tmp_path, (FLOWS / "etl.py").read_text())
    tape = Tape()

    outcome = run(found.flows[0], tape=tape)

    assert outcome.state == "completed"
    assert tape.final() == {"extract": "completed", "transform": "completed", "load": "completed"}
    assert capsys.readouterr().out == "Final data: [2, 4, 6, 8, 10]\n"


def test_the_other_example_has_its_schedule(tmp_path: Path) -> None:
    found, _ = load(tmp_path, (FLOWS / "hello.py").read_text())

    assert found.flows[0].schedule == Cron("0 6 * * *", timezone="Asia/Seoul")
    assert run(found.flows[0], {"day": "2026-12-31"}).result == '"Hello, world, on Thursday!"'


def test_flows_of_both_styles_are_found_in_order(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow, flow
@flow
def first(): ...
with Flow("second") as drawn: pass
Flow("third")
alias = drawn
"""
    found, module = load(tmp_path, text)

    assert [(entry, flow.name) for entry, flow in found.named(vars(module))] == [
        ("first", "first"),
        ("drawn", "second"),
        ("#3", "third"),
    ]
    assert [flow.line for flow in found.flows] == [3, 5, 6]


def test_a_flow_is_got_back_by_its_entry_point(tmp_path: Path) -> None:
    found, module = load(tmp_path, "from schedulerd import Flow\na = Flow('a')\nFlow('b')\n")

    assert found.flow("a", vars(module)).name == "a"
    assert found.flow("#2", vars(module)).name == "b"
    with pytest.raises(LookupError, match=r"makes no flow c; its flows are: a, #2"):
        found.flow("c", vars(module))


def test_a_file_without_flows_says_that_it_has_none(tmp_path: Path) -> None:
    found, module = load(tmp_path, "x = 1\n")

    with pytest.raises(LookupError, match="its flows are: none"):
        found.flow("x", vars(module))


def test_a_flow_that_another_module_makes_belongs_to_that_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neighbour_of_flows.py").write_text(
        "from schedulerd import Flow\nwith Flow('theirs') as theirs: pass\ntheirs.run()\n"
        "def make(name):\n    return Flow(name)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    found, _ = load(tmp_path, "from neighbour_of_flows import make, theirs\nmine = make('mine')\n")

    assert [(flow.name, flow.line) for flow in found.flows] == [("mine", 2)]
    assert [note.flow.name for note in found.notes] == ["theirs"]
    sys.modules.pop("neighbour_of_flows")


def test_a_flow_made_in_a_thread_is_found(tmp_path: Path) -> None:
    text = """
from threading import Thread
from schedulerd import Flow
made = Thread(target=Flow, args=("threaded",))
made.start()
made.join()
"""
    found, _ = load(tmp_path, text)

    assert [flow.name for flow in found.flows] == ["threaded"]


def test_what_is_called_at_module_level_is_noted_with_its_arguments(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow, flow
@flow
def etl(day=None):
    raise AssertionError
drawn = Flow("drawn")
results = [etl("2026-01-01", x=1), drawn.run({"p": 1}, q=2), drawn.run(), drawn.register("project", build=False)]
results += [etl.serve("prod"), etl.serve()]
"""
    found, module = load(tmp_path, text)

    assert all(isinstance(result, Placeholder) for result in module.results)
    assert [(note.flow.name, note.verb, note.args, note.kwargs) for note in found.notes] == [
        ("etl", "call", ("2026-01-01",), {"x": 1}),
        ("drawn", "run", ({"p": 1},), {"q": 2}),
        ("drawn", "run", (), {}),
        ("drawn", "register", ("project",), {"build": False}),
        ("etl", "serve", ("prod",), {}),
        ("etl", "serve", (), {}),
    ]


def test_the_schedules_of_serve_are_added_to_the_flow(tmp_path: Path) -> None:
    text = """
from datetime import timedelta
from schedulerd import flow
from schedulerd.schedules import Cron
@flow(schedule=Cron("0 1 * * *"))
def etl(): ...
etl.serve("prod", cron="0 2 * * *", parameters={"p": 1}, limit=3)
etl.serve(interval=[timedelta(hours=1), 60], rrule="FREQ=DAILY")
etl.serve(schedule=Cron("0 3 * * *"), schedules=[Cron("0 4 * * *")])
"""
    found, _ = load(tmp_path, text)

    assert found.flows[0].schedules == (
        Cron("0 1 * * *"),
        Cron("0 2 * * *", parameters={"p": 1}),
        Interval(3600.0),
        Interval(60),
        RRule("FREQ=DAILY"),
        Cron("0 3 * * *"),
        Cron("0 4 * * *"),
    )


def test_a_schedule_assigned_after_drawing_counts(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow
from schedulerd.schedules import Cron
with Flow("x") as flow: pass
flow.schedule = Cron("0 6 * * *")
flow.run()
"""
    found, _ = load(tmp_path, text)

    assert describe(found.flows[0])["schedules"] == [Cron("0 6 * * *").describe()]


def test_people_use_what_a_run_returns_and_the_file_still_loads(tmp_path: Path) -> None:
    text = """
import asyncio, sys
from schedulerd import Flow, flow, task
@task
def extract():
    raise AssertionError("ran")
@flow
def etl():
    raise AssertionError("ran")
@flow
async def later():
    raise AssertionError("ran")
with Flow("x") as drawn:
    e = extract()
state = drawn.run()
assert state.is_successful()
if state.is_failed():
    sys.exit(1)
assert state.result[e].result == [1, 2, 3]
for row in etl():
    sys.exit(2)
print(f"{etl():.2f} {extract()}", asyncio.run(later()))
later()
"""
    found, _ = load(tmp_path, text)

    assert [flow.name for flow in found.flows] == ["etl", "later", "x"]


def test_a_task_called_at_module_level_is_not_run_while_loading(tmp_path: Path) -> None:
    text = """
from schedulerd import task
@task
def extract():
    raise AssertionError("ran")
@task
async def fetch():
    raise AssertionError("ran")
data = extract()
later = fetch()
"""
    _, module = load(tmp_path, text)

    assert isinstance(module.data, Placeholder)
    assert isinstance(module.later, Placeholder)


def test_arguments_that_do_not_fit_are_the_error_of_the_line_that_draws(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow, task
@task
def load(rows): ...
with Flow("x"):
    load()
"""
    with pytest.raises(TypeError, match=r"load\(\): missing a required argument: 'rows'"):
        load(tmp_path, text)


def test_a_task_of_a_builtin_without_a_signature_can_be_drawn(tmp_path: Path) -> None:
    text = """
from schedulerd import Flow, task
with Flow("x"):
    task(dict)({"a": 1})
    task(max)(1, 2)
"""
    assert load(tmp_path, text)[0].flows


def test_running_inside_the_block_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot run inside"):
        load(tmp_path, "from schedulerd import Flow\nwith Flow('x') as flow:\n    flow.run()\n")


def test_loading_ends_with_its_block_whatever_happened(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        load(tmp_path, "1 / 0\n")

    assert not is_loading()


def test_loading_within_loading_notes_for_the_inner_file(tmp_path: Path) -> None:
    with loading("outer.py") as outer, loading("inner.py") as inner:
        flow: Any = load(tmp_path, "from schedulerd import Flow\nFlow('x')\n")[0].flows[0]
        flow.register()

    assert (outer.notes, len(inner.notes)) == ([], 1)


def test_nothing_is_noted_while_nothing_is_loaded(tmp_path: Path) -> None:
    found, _ = load(tmp_path, "from schedulerd import Flow\nFlow('x')\n")

    note_done(found.flows[0], "run", (), {})

    assert found.notes == []
