"""Flow files run by plain Python, and what importing schedulerd loads."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HEAVY = {
    "sqlalchemy",
    "alembic",
    "pydantic",
    "apscheduler",
    "click",
    "rich",
    "fastapi",
    "starlette",
    "jinja2",
    "croniter",
    "asyncio",
    "dataclasses",
    "inspect",
    "logging",
    "typing",
    "enum",
    "json",
    "datetime",
    "zoneinfo",
    "pathlib",
    "re",
}


ALSO_OF_THE_LIBRARY = {
    "__future__",
    "_contextvars",
    "_csv",
    "_heapq",
    "_typing",
    "contextvars",
    "csv",
    "heapq",
    "typing",
    "typing.io",
    "typing.re",
}  # csv: the example itself


def python(*arguments: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run Python without what a virtual environment's .pth files load, but with this schedulerd."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_the_example_prints_its_data_and_nothing_else_on_stdout() -> None:
    ran = python("flows/etl.py")

    assert (ran.returncode, ran.stdout) == (0, "Final data: [2, 4, 6, 8, 10]\n")
    assert "INFO  extract: completed in " in ran.stderr


def test_the_function_style_example_runs() -> None:
    ran = python("flows/hello.py")

    assert (ran.returncode, ran.stdout) == (0, "Hello, world!\n")


def test_importing_schedulerd_loads_nothing_heavy() -> None:
    loaded = python(
        "-S", "-c", "import sys, schedulerd, schedulerd.schedules; schedulerd.task; print(*sys.modules)"
    ).stdout.split()

    assert "schedulerd.authoring.tasks" in loaded
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("file", ["flows/etl.py", "flows/etl_functions.py", "flows/hello.py"])
def test_a_flow_in_plain_python_loads_of_the_library_what_logging_does_and_no_more(file: str) -> None:
    """A flow file costs less than 4 times what a bare interpreter does, of which `import logging` is more than 2."""
    said = "import sys; print(*sys.modules, file=sys.stderr)"
    run = f"exec(compile(open({file!r}).read(), {file!r}, 'exec'), {{'__name__': '__main__'}})"

    usual = python("-S", "-c", f"import logging, datetime; {said}").stderr.split()
    loaded = python("-S", "-c", f"{run}; {said}").stderr.splitlines()[-1].split()

    more = {name for name in set(loaded) - set(usual) if not name.startswith("schedulerd")}
    assert "schedulerd.authoring.console" in loaded
    assert more <= ALSO_OF_THE_LIBRARY, more


def test_the_public_names_are_there() -> None:
    ran = python(
        "-c", "from schedulerd import *; print(Flow, Parameter, flow, task, get_run_logger, __version__)"
    )

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(("code", "status"), [("", 0), ("3", 3), ("'why'", 1)])
def test_sys_exit_in_a_flow_ends_the_program_as_it_would_anywhere(
    tmp_path: Path, code: str, status: int
) -> None:
    (tmp_path / "leaving.py").write_text(
        f"import sys\nfrom schedulerd import flow\n@flow\ndef leave():\n    sys.exit({code})\nleave()\nprint('no')\n"
    )

    ran = python("leaving.py", folder=tmp_path)

    assert (ran.returncode, ran.stdout) == (status, "")


def test_an_error_names_the_task_and_the_users_line(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(
        "from schedulerd import Flow, task\n@task\ndef extract():\n    return {}['rows']\n"
        "with Flow('x') as flow:\n    extract()\nflow.run()\n"
    )

    ran = python("failing.py", folder=tmp_path)

    assert "ERROR extract: failed in " in ran.stderr
    assert 'failing.py", line 4, in extract' in ran.stderr
    assert "authoring" not in ran.stderr
