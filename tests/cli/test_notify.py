"""`notify`, and what `validate` says of where messages go to. No address is shown whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from schedulerd.clock import SystemClock
from tests.cli.scenes import Project
from tests.receiver import ReceivingService

SECRET: Final = "canary-notify-18bd"


@pytest.fixture
def receiver() -> Iterator[ReceivingService]:
    receiver = ReceivingService()
    yield receiver
    receiver.close()


def add_rules(project: Project, text: str) -> None:
    project.config.write_text(project.config.read_text() + text)


def urls_file(project: Project, text: str, mode: int = 0o600) -> Path:
    file = project.config.parent / "notify.urls"
    file.write_text(text)
    file.chmod(mode)
    add_rules(project, f'\n[[notify]]\nname = "night"\nurls_file = "{file}"\n')
    return file


def test_rules_are_listed_with_what_is_no_secret_of_their_addresses(project: Project) -> None:
    add_rules(
        project,
        f'\n[[notify]]\non = ["failed"]\nflows = ["etl-*"]\ntags = ["money"]\n'
        f'urls = ["json://u:{SECRET}@hooks.example.com/{SECRET}", "slack://{SECRET}/b", "${{HC}}"]\n',
    )
    urls_file(project, f"# mine\ntgram://{SECRET}\n")

    listed = project.call("notify", "list", "-o", "json")
    table = project.call("notify", "list")

    first, night = json.loads(listed.stdout)
    assert (first["name"], first["on"], first["to"]) == (
        "notify-1",
        ["failed"],
        ["json://hooks.example.com/…", "slack://…", "…"],
    )
    assert (night["name"], night["to"], night["error"]) == ("night", ["tgram://…"], "")
    assert "etl-*" in table.stdout
    assert SECRET not in listed.stdout + table.stdout


def test_where_there_is_no_rule_the_list_is_empty(project: Project) -> None:
    assert json.loads(project.call("notify", "list", "-o", "json").stdout) == []


@pytest.mark.parametrize(
    ("text", "mode", "line", "reason"),
    [
        (f"json://{SECRET}", 0o644, None, "everybody may read it"),
        (f"json://a/b\n{SECRET}\n", 0o600, 2, "this is no URL"),
        ("# nothing\n", 0o600, None, "there is no URL in it"),
    ],
)
def test_a_file_of_urls_is_validated_and_its_fault_is_listed(
    project: Project, text: str, mode: int, line: int | None, reason: str
) -> None:
    file = urls_file(project, text, mode)

    validated = project.call("validate", "-o", "json")
    listed = json.loads(project.call("notify", "list", "-o", "json").stdout)

    (bad,) = [one for one in json.loads(validated.stdout) if not one["ok"]]
    assert validated.exit_code == 8
    assert (bad["file"], bad["line"], bad["message"]) == (str(file), line, reason)
    assert reason in listed[0]["error"]
    assert SECRET not in validated.stdout + validated.stderr + listed[0]["error"]


def test_a_file_of_urls_that_is_missing_is_a_finding_and_a_good_one_says_how_many_it_has(
    project: Project,
) -> None:
    file = urls_file(project, "json://a/b\n${HC}\n")
    good = project.call("validate", str(project.config), "-o", "json")
    file.unlink()

    missing = project.call("validate", str(project.config), "-o", "json")

    assert [one["holds"] for one in json.loads(good.stdout)] == [["settings"], ["2 URLs"]]
    assert (good.exit_code, missing.exit_code) == (0, 8)
    assert "cannot be read" in missing.stdout


def test_a_url_is_tried_as_an_argument_or_from_stdin(project: Project, receiver: ReceivingService) -> None:
    url = f"json://127.0.0.1:{receiver.port}/{SECRET}"
    clock = SystemClock()

    by_argument = project.call("notify", "test", url, "-o", "json", clock=clock)
    by_stdin = project.call("notify", "test", "-", "-o", "json", clock=clock, typed=url + "\n")
    receiver.server.status = 500
    refused = project.call("notify", "test", url, "-o", "json", clock=clock)

    assert [one.exit_code for one in (by_argument, by_stdin, refused)] == [0, 0, 8]
    assert len(receiver.titles) == 2
    (said,) = json.loads(by_argument.stdout)
    assert (said["rule"], said["to"], said["ok"]) == (None, f"json://127.0.0.1:{receiver.port}/…", True)
    assert "500" in refused.stdout
    assert SECRET not in by_argument.stdout + by_stdin.stdout + refused.stdout + refused.stderr


def test_what_is_no_url_and_no_rule_is_said_without_showing_what_came_from_stdin(project: Project) -> None:
    unknown = project.call("notify", "test", "nobody")
    no_url = project.call("notify", "test", "-", typed=f"{SECRET}\n")
    variable = project.call("notify", "test", f"json://{SECRET}/${{NOT_SET}}")

    assert (unknown.exit_code, no_url.exit_code) == (3, 2)
    assert variable.exit_code != 0
    assert "NOT_SET" in variable.stderr
    assert SECRET not in no_url.stderr + variable.stderr


def test_nothing_was_sent_yet(project: Project) -> None:
    assert json.loads(project.call("notify", "sent", "-o", "json").stdout) == []
