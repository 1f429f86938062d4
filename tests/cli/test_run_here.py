"""`run --local`: a flow here and now, and what is told when its file cannot be loaded."""

import pytest

from tests.cli.scenes import Project

FLOWS = """\
from schedulerd import Flow, Parameter, flow, task

@flow
def greet(name: str = "world", times: int = 1):
    print(f"Hello, {name}!" * times)

@flow
def stumble():
    raise KeyError("region")

@flow
def leave():
    import sys
    sys.exit(3)
"""


@pytest.mark.parametrize(
    ("args", "code", "printed"),
    [
        (["greet.py:greet", "-p", "name=you", "-p", "times=2"], 0, "Hello, you!Hello, you!\n"),
        (["greet.py:stumble"], 10, ""),
        (["greet.py:leave"], 10, ""),
        (["greet.py"], 3, ""),
        (["greet.py:nobody"], 3, ""),
        (["nothing.py"], 3, ""),
        (["greet.py:greet", "-p", "tims=2"], 2, ""),
        (["greet", "-p", "times=1"], 0, "Hello, world!\n"),
    ],
    ids=str,
)
def test_a_flow_runs_here_and_now(project: Project, args: list[str], code: int, printed: str) -> None:
    (project.folder / "flows" / "greet.py").write_text(FLOWS)
    (project.folder / "state" / "schedulerd.db").unlink()

    with project.spawn("run", "--local", *args, cwd=project.folder / "flows") as child:
        stdout, stderr = child.communicate(timeout=180)

    assert (child.returncode, stdout) == (code, printed), stderr
    assert not (project.folder / "state" / "schedulerd.db").exists()
    project.database.upgrade()  # its invariants are looked at after each test


@pytest.mark.parametrize("verbose", [[], ["-v"]], ids=["", "-v"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "from schedulerd import Flow, task\n\n@task\ndef a(): ...\n\n"
            "with Flow('g'):\n    if a():\n        a()\n",
            "7: TypeError: testing the truth of 'a'",
        ),
        ("import os\nimport nowhere_to_be_found\n", "2: ModuleNotFoundError: No module named 'nowhere_to_"),
        ("def f(:\n", "1: SyntaxError: invalid syntax"),
        ("x = 1\nraise SystemExit(3)\n", "2: SystemExit: 3"),
    ],
    ids=["graph", "import", "syntax", "exit"],
)
def test_what_a_flow_file_raises_when_it_is_run_here_is_told_with_its_place(
    project: Project, content: str, said: str, verbose: list[str]
) -> None:
    file = project.folder / "flows" / "bad.py"
    file.write_text(content)

    with project.spawn(*verbose, "run", "--local", str(file)) as child:
        _, stderr = child.communicate(timeout=180)

    assert child.returncode == 8, stderr
    assert f"Error: {file}:{said}" in stderr.splitlines()[-1]
    frames = [line for line in stderr.splitlines() if line.startswith("  File ")]
    assert f'"{file}"' in frames[0]
    assert verbose or not [frame for frame in frames if "schedulerd/cli" in frame]


def test_a_flow_that_may_be_in_a_file_that_cannot_be_loaded_is_not_run_here(project: Project) -> None:
    file = project.folder / "flows" / "bad.py"
    file.write_text("import nowhere_to_be_found\n")

    result = project.call("run", "--local", "q")

    assert result.exit_code == 3
    assert f"  {file}:1: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in result.stderr
