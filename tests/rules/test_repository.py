"""Rules about the files of this repository."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.rules.pages import REPOSITORY

OUR_CODE = {"schedulerd", "tests", "docs", "benchmarks"}
LONGEST = 400
# Scenes and tables that belong together, and are longer than a file should be.
LONG = {
    "tests/acceptance/test_systemd.py",
    "tests/prefect/flows/function_style.py",
    "tests/prefect/flows/graph_style.py",
    "tests/engine/test_runs.py",
    "tests/store/test_faults.py",
    "tests/unit/authoring/test_graphs.py",
    "tests/unit/domain/test_planning.py",
    "tests/unit/scheduler/test_core.py",
}
# Put together here, so that this file passes its own test.
_MACHINE = re.compile(r"(?<!\w)/" + "work/")
_REGISTRIES = [
    "py" + "pi.org",
    "pythonhosted" + ".org",
    "registry.npm" + "js",
    "ana" + "conda.org",
    "crates" + ".io",
]


def files() -> list[Path]:
    """The files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git repository")
    found = (REPOSITORY / name for name in listed.stdout.split("\0") if name)
    return [path for path in found if path.is_file()]


def python_files() -> list[Path]:
    """Those of them that hold our code."""
    return [path for path in files() if path.suffix == ".py" and top(path) in OUR_CODE]


def name(path: Path) -> str:
    """What a file is called in the repository."""
    return str(path.relative_to(REPOSITORY))


def top(path: Path) -> str:
    """The folder at the top that a file is in."""
    return path.relative_to(REPOSITORY).parts[0]


def test_no_file_names_a_folder_of_somebodys_machine_or_the_host_of_a_registry() -> None:
    named = []
    for path in files():
        text = path.read_bytes().decode("utf-8", "replace")
        if _MACHINE.search(text) or any(host in text for host in _REGISTRIES):
            named.append(name(path))

    assert named == []


def test_every_module_says_first_what_it_is() -> None:
    silent = [str(path) for path in python_files() if ast.get_docstring(ast.parse(path.read_bytes())) is None]

    assert silent == []


def test_no_file_is_too_long_to_be_one_noun() -> None:
    lengths = {name(path): len(path.read_bytes().splitlines()) for path in python_files()}

    too_long = {path: length for path, length in lengths.items() if length > LONGEST and path not in LONG}

    assert too_long == {}, "divide it by its nouns; only tests may be named in LONG instead"
    assert all(path.startswith("tests/") for path in LONG)


def test_no_test_kills_process_0_which_is_everything_that_runs_the_tests() -> None:
    careless = re.compile(r"kill(?:pg)?\([^\n]*\bor 0\b")

    assert [path.name for path in files() if path.suffix == ".py" and careless.search(path.read_text())] == []


def test_no_file_is_called_after_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

    assert [path for path in python_files() if path.stem in nothing] == []
