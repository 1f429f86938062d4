"""The web process says who it is that changes something, so that the audit has it."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import pytest

from schedulerd.clock import SystemClock
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database

WEB: Final = Path(__file__).parents[2] / "schedulerd" / "web"


@cache
def told() -> Mapping[str, frozenset[str]]:
    """The operations that can be told who asks for them and need not be, by their noun; the others mypy looks after."""
    whole = Operations(cast("Database", None), state_dir=Path("/nowhere"), clock=SystemClock())
    nouns = [name for name in dir(Operations) if not name.startswith("_") and name != "load"]
    found = {noun: getattr(whole, noun) for noun in [*nouns, "runs", "daemon"]}
    return {noun: frozenset(_with_by(one)) for noun, one in found.items()}


def _with_by(noun: Any) -> Iterator[str]:
    for name, method in inspect.getmembers(type(noun), inspect.isfunction):
        by = inspect.signature(method).parameters.get("by")
        if by is not None and by.default is None and not name.startswith("_"):
            yield name


def unsaid(text: str) -> list[tuple[int, str]]:
    """The lines of a module on which an operation is named, and not by whom it is asked for."""
    tree = ast.parse(text)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    said = {
        id(one)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and any(each.arg == "by" for each in call.keywords)
        for one in (call.func, *call.args)  # partial(operations.runs.cancel, by=…) says it too
    }
    asked = {id(node.value) for node in nodes}
    return [
        *(
            (node.lineno, f"{noun}.{node.attr}")
            for node in nodes
            if id(node) not in said and (noun := _noun(node.value)) and node.attr in told().get(noun, ())
        ),
        # a noun under another name: what it is asked could not be seen
        *(
            (node.lineno, noun)
            for node in nodes
            if id(node) not in asked and (noun := _noun(node)) and told().get(noun)
        ),
    ]


def _noun(node: ast.expr) -> str | None:
    """The `runs` of `house.operations.runs`."""
    if not isinstance(node, ast.Attribute):
        return None
    of = node.value
    name = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
    return node.attr if name.lstrip("_") == "operations" else None


def test_each_operation_of_the_web_process_is_told_who_asks_for_it() -> None:
    found = {
        f"{path.relative_to(WEB)}:{line}": operation
        for path in WEB.rglob("*.py")
        for line, operation in unsaid(path.read_text())
    }

    assert found == {}
    assert {"runs", "reruns", "schedules", "variables", "secrets"} <= {
        noun for noun, methods in told().items() if methods
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("operations.runs.cancel(run, actor=me, reason='')", [(1, "runs.cancel")]),
        ("house._operations.runs.cancel(run, actor=me, reason='', by=me)", []),
        ("partial(operations.runs.cancel, run, by=me)", []),
        ("do(operations.runs.cancel)", [(1, "runs.cancel")]),
        ("operations.runs.get(run)", []),
        ("asked = operations.runs", [(1, "runs")]),
    ],
)
def test_one_that_is_not_told_would_be_found(text: str, expected: list[tuple[int, str]]) -> None:
    assert unsaid(text) == expected
