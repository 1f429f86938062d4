"""Parameters go as JSON, and never into the text of a command; in the examples that people copy neither."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from schedulerd.domain.access import Role
from tests.builders import NOW, a_command
from tests.web.entering import House

EXAMPLES: Final = sorted(Path("flows").rglob("*.py"))
SHELLS: Final = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "ShellTask"}


def test_a_command_takes_no_parameters_whoever_gives_them(house: House) -> None:
    with house.database.write() as tx:
        tx.flows.put_command(a_command("dump", "pg_dump app"), now=NOW)
    guest, evil = house.guest(Role.ADMIN), "; touch /tmp/canary"

    answers = [
        guest.post("/api/v1/flows/dump/runs", json={"parameters": {"x": evil}}),
        guest.post("/api/v1/flows/dump/runs", json={"parameters": {evil: "x"}}),
        guest.post("/flows/dump/run", data={"p.x": evil, "key": "form-1"}),
    ]

    assert [one.status_code for one in answers] == [
        422,
        422,
        303,
    ]  # a form shows no field for one, and takes none
    assert "canary" not in str(guest.get("/api/v1/runs").json())


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_no_example_puts_a_value_into_the_text_of_a_command(path: Path) -> None:
    assert list(shells_with_values(ast.parse(path.read_text()))) == []


def test_a_value_in_the_text_of_a_command_is_found() -> None:
    evil = "import os, subprocess\nos.system('ls ' + x)\nsubprocess.run(f'ls {x}', shell=True)\nShellTask(command='ls %s' % x)"

    assert list(shells_with_values(ast.parse(evil))) == [2, 3, 4]
    assert (
        list(shells_with_values(ast.parse("ShellTask(command='ls', env={'X': f'{x}'})\nrun(['ls', x])")))
        == []
    )


def shells_with_values(tree: ast.AST) -> Iterator[int]:
    """The lines in which a shell is given what is not a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_shell(node):
            texts = [*node.args, *(one.value for one in node.keywords if one.arg in ("command", "args"))]
            if any(isinstance(text, ast.JoinedStr | ast.BinOp | ast.Call) for text in texts):
                yield node.lineno


def _is_shell(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in SHELLS or any(
        one.arg == "shell" and getattr(one.value, "value", True) for one in call.keywords
    )
