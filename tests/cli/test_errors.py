"""How the program ends: the table of exit codes, and what is said of each error."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from schedulerd import errors
from schedulerd.cli.errors import CODES, MEANINGS, code_of
from schedulerd.cli.invocation import Invocation
from schedulerd.cli.root import Root
from tests.cli.scenes import Project

CASES = [
    (errors.BadParameters("no"), 2),
    (errors.NotFound("run", "etl#7"), 3),
    (errors.Ambiguous("run", "01ab", candidates=["a", "b"]), 3),
    (errors.NotPermitted("no"), 4),
    (errors.Conflict("no"), 5),
    (errors.IllegalMove("etl#1", "completed", "running"), 5),
    (errors.AlreadyRunning("/state", 7), 5),
    (errors.PortTaken("127.0.0.1", 8080), 5),
    (errors.Unreachable("no"), 6),
    (errors.StoreUnavailable("no"), 6),
    (errors.StoreOutdated("no"), 6),
    (errors.WaitTimeout("no"), 7),
    (errors.BadDefinition("no", file="a.toml", line=3), 8),
    (errors.BadExpression("no", expression="* *"), 8),
    (errors.SchedulerdError("no"), 1),
    (click.UsageError("no"), 2),
    (PermissionError(13, "Permission denied", "/state"), 4),
    (KeyboardInterrupt(), 130),
    (ZeroDivisionError("no"), 1),
]


def ending_with(error: BaseException) -> Root:
    """A program that ends with this error."""

    @click.command()
    def fail() -> None:
        raise error

    program = Root("schedulerd")
    program.add_command(fail)
    return program


@pytest.mark.parametrize(("error", "code"), CASES, ids=lambda case: type(case).__name__)
def test_an_error_ends_the_program_with_its_code(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(ending_with(error), ["fail"], obj=Invocation(environ={}))

    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_every_kind_of_error_has_a_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert all(any(issubclass(kind, one) for one in CODES) for kind in kinds)
    assert set(CODES.values()) <= set(MEANINGS)
    assert code_of(BrokenPipeError()) == 141


def test_an_error_says_what_to_type_next() -> None:
    error = errors.NotFound("flow", "etk", near=["etl"], mend="`schedulerd flows list` shows them")

    result = CliRunner().invoke(ending_with(error), ["fail"], obj=Invocation(environ={}))

    assert result.stderr == (
        "Error: there is no flow 'etk'; did you mean etl?\n  `schedulerd flows list` shows them\n"
    )


def test_the_candidates_of_an_ambiguous_name_are_listed() -> None:
    error = errors.Ambiguous("run", "01ab", candidates=["01ab1 (etl#1)", "01ab2 (etl#2)"])

    result = CliRunner().invoke(ending_with(error), ["fail"], obj=Invocation(environ={}))

    assert result.stderr == "Error: '01ab' names more than one run:\n  01ab1 (etl#1)\n  01ab2 (etl#2)\n"


def test_a_traceback_is_shown_to_those_who_ask() -> None:
    program = ending_with(ZeroDivisionError("no"))

    quiet = CliRunner().invoke(program, ["fail"], obj=Invocation(environ={}))
    verbose = CliRunner().invoke(program, ["-v", "fail"], obj=Invocation(environ={}))

    assert quiet.stderr == "Error: ZeroDivisionError: no (-v shows where)\n"
    assert "Traceback" in verbose.stderr


@pytest.mark.parametrize("topic", ["exit-codes", "selectors", "filters", "time"])
def test_there_is_help_on_what_is_common_to_commands(project: Project, topic: str) -> None:
    listed, shown = project.call("help"), project.call("help", topic)

    assert topic in listed.stdout
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) > 5


def test_the_help_on_exit_codes_is_the_table(project: Project) -> None:
    shown = project.call("help", "exit-codes").stdout

    assert all(f"{code:>5}  {meaning}" in shown for code, meaning in MEANINGS.items())


def test_systemd_is_offered_where_it_is_installed() -> None:
    from schedulerd.cli.root import root

    is_there = (Path(__file__).parents[2] / "schedulerd" / "cli" / "systemd.py").exists()

    assert ("systemd" in root.lazy) == is_there


@pytest.mark.parametrize(
    "words",
    [
        ["run", "\udcff"],
        ["run", "etl", "-p", "region=\udcff"],
        ["runs", "list", "--text", "\udcff"],
        ["validate", "\udcff"],
        ["--config", "\udcff", "status"],
        ["\udcff"],
    ],
    ids=["a name", "a parameter", "an option", "a path", "an option of all", "a command"],
)
def test_a_word_that_is_no_text_is_told_at_the_door(project: Project, words: list[str]) -> None:
    result = project.call(*words)

    assert result.exit_code == 2
    assert r"\xff' is not UTF-8 text" in result.stderr
    assert "UnicodeEncodeError" not in result.stderr
