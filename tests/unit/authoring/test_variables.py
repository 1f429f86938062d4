"""Variables in plain Python: from the project that the process is in, and a clear word where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def project(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """A folder with settings and a database."""
    for folder in ("config", "state"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "schedulerd.toml").write_text('state_dir = "state"\n')
    shutil.copyfile(migrated_sqlite, tmp_path / "state" / "schedulerd.db")
    return tmp_path


def python(code: str, folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run it in a Python of its own, in this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCHEDULERD")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[3]), **environ},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


USES = """
import asyncio
from schedulerd import flow
from schedulerd import variables
from schedulerd.variables import Variable
from schedulerd.backend.kv_store import set_key_value, get_key_value, list_keys

@flow
def uses():
    Variable.set("rows", [1, 2])
    set_key_value("key", "v")
    return [Variable.get("rows"), variables.get("none", 4), get_key_value("key"), list_keys(), Variable.get("none")]

@flow
async def awaits():
    return await Variable.get("rows")

if __name__ == "__main__":
    print(uses())
    print(asyncio.run(awaits()))
"""


def test_a_flow_in_plain_python_uses_the_variables_of_its_project(project: Path) -> None:
    done = python(USES, project)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[[1, 2], 4, 'v', ['key', 'rows'], None]\n[1, 2]\n"
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    read = "from schedulerd.variables import Variable; print(Variable.get('rows'))"
    named = python(read, elsewhere, SCHEDULERD_CONFIG=str(project / "config" / "schedulerd.toml"))
    assert named.stdout == "[1, 2]\n", named.stderr


def test_without_a_project_the_default_counts_and_without_one_it_is_said_where_to_look(
    tmp_path: Path,
) -> None:
    given = python("from schedulerd.variables import Variable; print(Variable.get('a', 5))", tmp_path)
    missing = python("from schedulerd.variables import Variable; Variable.get('a')", tmp_path)

    assert given.stdout == "5\n", given.stderr
    assert missing.returncode == 1
    assert "no settings file of a project was found" in missing.stderr
    assert "SCHEDULERD_CONFIG" in missing.stderr


def test_a_project_without_a_database_and_a_config_that_is_not_there_say_so(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "schedulerd.toml").write_text("")
    read = "from schedulerd.variables import Variable; Variable.get('a', 5)"

    assert "there is no database at" in python(read, tmp_path).stderr
    assert "SCHEDULERD_CONFIG names it" in python(read, tmp_path, SCHEDULERD_CONFIG="none.toml").stderr


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("Variable.set('a', 1); Variable.set('a', 2)", "there is a variable 'a' already"),
        ("Variable.set('a b', 1)", "cannot be the name of a variable"),
        ("Variable.set('a', object())", "is not JSON"),
        ("Variable.set('a', float('nan'))", "is not JSON"),
        ("get_key_value('none')", "no value is set for the key 'none'"),
        ("delete_key('none')", "there is nothing to delete"),
    ],
)
def test_what_cannot_be_raises(project: Path, code: str, reason: str) -> None:
    names = "from schedulerd.variables import Variable; from schedulerd.backend import *; "

    done = python(names + code, project)

    assert done.returncode == 1
    assert reason in done.stderr


def test_while_a_file_is_only_looked_at_nothing_is_asked(tmp_path: Path) -> None:
    code = """
from schedulerd.authoring.loading import loading
from schedulerd.backend import get_key_value
from schedulerd.blocks.system import JSON, DateTime
from schedulerd.variables import Variable
with loading("flows/etl.py"):
    assert get_key_value("a")["deep"]
    assert JSON.load("a").value["deep"]
    assert DateTime.load("a").value.year
    JSON(value=1).save("a")
    assert Variable.get("a")["deep"]
    assert Variable.get("a", "default") == "default"
    Variable.set("a", 1)
    Variable.unset("a")
print("ok")
"""

    assert python(code, tmp_path).stdout == "ok\n"


def test_variables_cost_a_program_nothing_that_does_not_ask(tmp_path: Path) -> None:
    code = "import sys, schedulerd.variables, schedulerd.backend; print([m for m in ('sqlalchemy', 'pydantic', 'asyncio') if m in sys.modules])"

    assert python(code, tmp_path).stdout == "[]\n"
