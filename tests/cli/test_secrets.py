"""`secrets`: list, set, unset. Nothing that is shown has a value in it."""

import json
import sqlite3

import pytest

from tests.cli.scenes import Project

CANARY = "canary-4711-password"


def everything(project: Project) -> bytes:
    """All bytes below the state directory but the key."""
    return b"".join(
        path.read_bytes()
        for path in sorted(project.state_dir.rglob("*"))
        if path.is_file() and path.name != "secret.key"
    )


def test_a_secret_is_set_from_stdin_and_from_a_file_and_shown_nowhere(project: Project) -> None:
    file = project.folder / "value"
    file.write_text(CANARY + "\n")

    results = [
        project.call("secrets", "set", "db", typed=CANARY + "\n"),
        project.call("secrets", "set", "file", "--from-file", str(file)),
        project.call("secrets", "set", "dash", "--from-file", "-", "-o", "json", typed=CANARY),
        project.call("secrets", "list"),
        project.call("secrets", "list", "-o", "json"),
    ]

    assert [result.exit_code for result in results] == [0] * 5, results[0].stderr
    assert all("canary" not in result.stdout + result.stderr for result in results)
    assert [one["name"] for one in json.loads(results[4].stdout)] == ["dash", "db", "file"]
    assert CANARY.encode() not in everything(project)
    assert (project.state_dir / "secret.key").stat().st_mode & 0o777 == 0o600


def test_with_the_last_secret_the_key_is_forgotten(project: Project) -> None:
    project.call("secrets", "set", "db", typed=CANARY)
    (project.state_dir / "secret.key").write_text("ab" * 32)

    refused = project.call("secrets", "set", "other", typed=CANARY)
    removed = project.call("secrets", "unset", "db")
    again = project.call("secrets", "set", "other", typed=CANARY)

    assert refused.exit_code == 5
    assert "is not the one" in refused.stderr
    assert (removed.exit_code, again.exit_code) == (0, 0)


@pytest.mark.parametrize(
    ("words", "typed", "reason"),
    [
        (["a b"], "value", "cannot be the name of a secret"),
        (["db"], "", "the value is empty"),
        (["db", "--json"], "{", "is not JSON"),
        (["db"], "x" * 70_000, "more than 65,536"),
        (["db", "value"], "", "unexpected extra argument"),
    ],
)
def test_what_cannot_be_a_secret_is_a_usage_error(
    project: Project, words: list[str], typed: str, reason: str
) -> None:
    result = project.call("secrets", "set", *words, typed=typed)

    assert result.exit_code == 2
    assert reason in result.stderr.lower() or reason in result.stderr
    with sqlite3.connect(project.state_dir / "schedulerd.db") as database:
        assert database.execute("SELECT count(*) FROM secrets").fetchone() == (0,)
    database.close()


def test_a_secret_that_is_not_there_cannot_be_removed_and_a_short_one_is_warned_of(project: Project) -> None:
    assert project.call("secrets", "unset", "none").exit_code == 3
    assert "not kept out of logs" in project.call("secrets", "set", "pin", typed="123").stderr
