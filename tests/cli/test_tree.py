"""The tree of commands as a whole: help everywhere, one meaning for each short flag, and a quick start."""

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.root import root
from tests.cli.scenes import Project

HEAVY = (
    "sqlalchemy",
    "alembic",
    "pydantic",
    "fastapi",
    "rich",
    "croniter",
    "apscheduler",
)
MEANINGS = {
    "-h": "--help",
    "-o": "--output",
    "-n": "--number",
    "-f": "--follow",
    "-w": "--watch",
    "-q": "--quiet",
    "-v": "--verbose",
    "-y": "--yes",
    "-p": "--parameter",
    "-s": "--since",
    "-V": "--version",
}


def each_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that lead to it, groups too."""
    open_ended: list[tuple[tuple[str, ...], click.Command]] = [((), root)]
    while open_ended:
        path, command = open_ended.pop()
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                open_ended.append(((*path, name), below))


COMMANDS = dict(each_command())


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "schedulerd")
def test_h_is_help_on_every_command(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(root, [*path, "-h"])

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: {' '.join(('schedulerd', *path))}")


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "schedulerd")
def test_a_short_flag_means_the_same_everywhere(path: tuple[str, ...]) -> None:
    options = [one for one in COMMANDS[path].params if isinstance(one, click.Option)]

    short = {name: one.opts for one in options for name in one.opts if len(name) == 2}

    assert all(MEANINGS[name] in names for name, names in short.items())


def test_every_option_has_a_help_text() -> None:
    silent = [
        (path, option.name)
        for path, command in COMMANDS.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help and option.name != "form"
    ]

    assert silent == []


def test_a_lazy_command_has_the_short_help_that_its_group_tells() -> None:
    for path, group in COMMANDS.items():
        if isinstance(group, LazyGroup):
            for name, lazy in group.lazy.items():
                command = COMMANDS[(*path, name)]
                if not isinstance(command, click.Group):
                    assert (command.help or "").startswith(lazy.short_help.removesuffix("."))


# Each command line in a process that has loaded the root and nothing else: how much is said, and what is loaded.
_EACH = """
import contextlib, io, json, os, sys
from schedulerd.cli.root import root

def say(args):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            root.main(args)
        except SystemExit as ended:
            code = ended.code or 0
    print(json.dumps([args, len(said.getvalue()), [*sys.modules]]), flush=True)
    return code

for args in json.loads(sys.argv[1]):
    if not (child := os.fork()):
        os._exit(say(args))
    assert os.waitpid(child, 0)[1] == 0
"""


def test_help_and_version_import_nothing_heavy() -> None:
    lines = [["--version"], ["--help"], *([*path, "--help"] for path in COMMANDS if path)]

    done = subprocess.run(
        [sys.executable, "-P", "-c", _EACH, json.dumps(lines)],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert [args for args, _, _ in told] == lines
    assert [args for args, said, _ in told if not said] == []
    assert {" ".join(args): heavy for args, _, loaded in told if (heavy := {*loaded} & {*HEAVY})} == {}


def test_the_top_level_imports_no_command() -> None:
    program = (
        "import sys; from schedulerd.cli.root import root\n"
        "try:\n    root.main(['--help'])\n"
        "finally:\n    sys.stderr.write(' '.join(one for one in sys.modules if one.startswith('schedulerd.cli.')))"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, timeout=180
    )

    modules = {one.removeprefix("schedulerd.cli.") for one in done.stderr.split()}
    assert modules == {"root", "commands", "errors", "invocation", "moments", "output", "tables"}


def test_a_list_of_runs_loads_what_it_needs_and_no_more(project: Project) -> None:
    program = (
        "import sys; from schedulerd.cli.root import root\n"
        f"try:\n    root.main(['--config', {str(project.config)!r}, 'runs', 'list'])\n"
        "finally:\n    sys.stderr.write(' '.join(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0
    loaded = {*done.stderr.split()}
    assert loaded & {*HEAVY} == {"sqlalchemy"}
    assert loaded.isdisjoint({"psycopg", "schedulerd.store.schedules", "schedulerd.operations.flows"})


@pytest.mark.parametrize(("alias", "plural"), [("flow", "flows"), ("schedule", "schedules")])
def test_the_singular_of_a_noun_is_accepted_and_not_shown(alias: str, plural: str) -> None:
    result = CliRunner().invoke(root, [alias, "list", "--help"])
    listed = CliRunner().invoke(root, ["--help"]).output

    assert result.exit_code == 0
    assert f"  {plural} " in listed
    assert f"  {alias} " not in listed


@pytest.mark.parametrize(
    ("args", "meant"),
    [(["rnu"], "'run'"), (["runs", "lst"], "'list'"), (["runs", "list", "--sinc", "1d"], "'--since'")],
)
def test_a_typo_is_told_what_it_may_have_meant(args: list[str], meant: str, project: Project) -> None:
    result = project.call(*args)

    assert result.exit_code == 2
    assert f"Did you mean {meant}?" in result.stderr
