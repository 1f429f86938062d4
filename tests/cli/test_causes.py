"""Schedules that have causes and no times, on the command line: after another run, and when a file appears."""

import json
from pathlib import Path
from typing import Any

import pytest

from schedulerd.cli.errors import CHECKS_FAILED
from schedulerd.domain.schedules import After, FileAppears, When
from schedulerd.domain.states import RunState
from tests.builders import NOW, a_schedule
from tests.cli.scenes import Project

AFTER = After(flows=("load", "extract"), states=(RunState.FAILED, RunState.TIMED_OUT))
FILE = FileAppears(pattern="/var/spool/inbox/*.csv", parameter="path")
KINDS = pytest.mark.parametrize(
    ("when", "kind", "expression", "words"),
    [
        pytest.param(AFTER, "after", "after load, extract", "load", id="after"),
        pytest.param(FILE, "file", "/var/spool/inbox/*.csv", "/var/spool/inbox/*.csv", id="file"),
    ],
)


def put(project: Project, when: When) -> None:
    """The schedule `caused` of the flow `etl`."""
    project.add_flow()
    with project.database.write() as tx:
        key = tx.flows.get("etl").key
        definition = a_schedule("caused", when=when)
        tx.schedules.put(definition, flow=key, watermark=NOW, next_due=None, now=NOW)


@KINDS
def test_it_is_listed_with_what_it_waits_for_and_no_time(
    project: Project, when: When, kind: str, expression: str, words: str
) -> None:
    put(project, when)

    listed = project.call("schedules", "list").stdout
    (shown,) = json.loads(project.call("schedules", "list", "-o", "json").stdout)

    assert words in listed
    assert (shown["when"]["kind"], shown["next_due"]) == (kind, None)
    assert expression in shown["when"]["expression"]


@KINDS
def test_it_is_shown_in_words(project: Project, when: When, kind: str, expression: str, words: str) -> None:
    put(project, when)

    shown = project.call("schedules", "show", "caused")

    assert shown.exit_code == 0
    assert expression in shown.stdout
    assert next(line for line in shown.stdout.splitlines() if line.startswith("  when")).count(words)


@KINDS
def test_it_is_paused_and_resumed_and_has_no_due_times(
    project: Project, when: When, kind: str, expression: str, words: str
) -> None:
    put(project, when)

    (paused,) = json.loads(
        project.call("schedules", "pause", "caused", "--reason", "too much", "-o", "json").stdout
    )
    listed = project.call("schedules", "list").stdout
    again = project.call("schedules", "pause", "caused", "--reason", "r")
    (resumed,) = json.loads(project.call("schedules", "resume", "caused", "-o", "json").stdout)

    assert paused["paused"]["reason"] == "too much"
    assert "paused" in listed
    assert again.exit_code == 5
    assert (resumed["paused"], resumed["next_due"]) == (None, None)
    assert project.call("schedules", "next", "caused", "-o", "json").stdout == "[]\n"
    assert project.call("next", "-o", "json").stdout == "[]\n"


# -- what goes in a circle --------------------------------------------------------------------------------------------


def flow_file(project: Project, name: str, after: str | None = None) -> None:
    """A file with a flow that comes after another."""
    schedule = "" if after is None else f"(schedule=After({after!r}))"
    text = f"from schedulerd import flow\nfrom schedulerd.schedules import After\n\n@flow{schedule}\ndef {name}(): ...\n"
    (project.folder / "flows" / f"{name}.py").write_text(text)


def schedule_file(project: Project, text: str) -> None:
    """A schedule file."""
    (project.folder / "config" / "schedules" / "chain.toml").write_text(text)


def findings(project: Project) -> list[dict[str, Any]]:
    """What `validate` finds wrong; it ends as one that found something."""
    done = project.call("validate", "-o", "json")
    assert done.exit_code == CHECKS_FAILED, done.output
    return [one for one in json.loads(done.stdout) if not one["ok"]]


def test_flow_files_that_come_after_each_other_are_refused_where_the_circle_is_closed(
    project: Project,
) -> None:
    flow_file(project, "extract", after="tell")
    flow_file(project, "load", after="extract")
    flow_file(project, "tell", after="load")

    (found,) = findings(project)

    assert (
        found["message"] == "schedule 'tell#0': it would never end: tell after load after extract after tell"
    )
    assert Path(found["file"]).name == "tell.py"


def test_a_flow_that_comes_after_itself_is_refused_with_its_line(project: Project) -> None:
    flow_file(project, "again", after="again")

    shown = project.call("validate")

    assert shown.exit_code == CHECKS_FAILED
    assert "again.py:4: schedule 'again#0': it would never end: again after again" in shown.stdout


def test_a_schedule_file_that_closes_a_circle_with_flow_files_is_refused_with_its_line(
    project: Project,
) -> None:
    flow_file(project, "extract")
    flow_file(project, "load", after="extract")
    schedule_file(
        project,
        '[[schedule]]\nname = "fine"\nflow = "extract"\ncron = "0 6 * * *"\n\n'
        '[[schedule]]\nname = "closes"\nflow = "extract"\nafter = ["load", "extract"]\n',
    )

    found = findings(project)

    assert [(Path(one["file"]).name, one["line"]) for one in found] == [("chain.toml", 6)]
    assert found[0]["message"].startswith("schedule 'closes': it would never end: extract after")


def test_commands_that_come_after_each_other_are_refused_and_the_rest_of_the_file_is_not(
    project: Project,
) -> None:
    schedule_file(
        project,
        '[[schedule]]\nname = "dump"\ncommand = "true"\nafter = "copy"\n\n'
        '[[schedule]]\nname = "copy"\ncommand = "true"\nafter = "dump"\n\n'
        '[[schedule]]\nname = "alone"\ncommand = "true"\ncron = "0 6 * * *"\n',
    )

    messages = [one["message"] for one in findings(project)]

    assert messages[0] == "schedule 'copy': it would never end: copy after dump after copy"
    assert not any("alone" in one for one in messages)


def test_what_comes_after_nothing_that_is_there_is_told_what_it_may_mean(project: Project) -> None:
    flow_file(project, "extract")
    flow_file(project, "load", after="extrakt")

    (found,) = findings(project)

    assert "there is no flow 'extrakt' to come after; did you mean 'extract'?" in found["message"]
