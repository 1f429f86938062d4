"""`import crontab`: what is understood is shown, and made into a schedule file."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from schedulerd.watch.crontabs import own_account
from tests.cli.scenes import Project

TAB = """\
# the jobs of kim
MAILTO=kim@example.org

@daily pg_dump mydb
@reboot agent --start
0 22 * * 1-5 mail joe%Joe,%%Where are your kids?
0 25 * * * broken
"""
GOOD = TAB.replace("0 25", "0 23")


def files(project: Project) -> list[str]:
    return sorted(path.name for path in (project.folder / "config" / "schedules").iterdir())


def schedules(project: Project, name: str) -> list[dict[str, Any]]:
    text = (project.folder / "config" / "schedules" / name).read_text()
    found: list[dict[str, Any]] = tomllib.loads(text)["schedule"]
    return found


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, *does: str) -> None:
    (folder / name).write_text("\n".join(["#!/bin/sh", *does]) + "\n")
    (folder / name).chmod(0o755)


def test_a_dry_run_shows_what_each_line_means_and_writes_nothing(project: Project) -> None:
    result = project.call("import", "crontab", "-", "--dry-run", typed=TAB)

    assert result.exit_code == 8
    assert result.stdout.splitlines() == [
        "1  # the jobs of kim",
        "2  MAILTO=kim@example.org",
        "     output below is mailed to kim@example.org",
        "4  @daily pg_dump mydb",
        "     ✓ crontab:pg_dump-mydb  at 00:00 every day, UTC",
        "       next   in 18h, Mon 2026-11-23 00:00:00 UTC",
        "5  @reboot agent --start",
        "     ✓ crontab:agent-start  once after each start of the machine",
        "6  0 22 * * 1-5 mail joe%Joe,%%Where are your kids?",
        "     ✓ crontab:mail-joe  at 22:00 on Monday to Friday, UTC",
        "       next   in 1d 16h, Mon 2026-11-23 22:00:00 UTC",
        "       runs   mail joe",
        "       reads  'Joe,\\n\\nWhere are your kids?\\n'",
        "7  0 25 * * * broken",
        "     ✕ hour: '25' is not one of 0-23",
        "       0 25 * * * broken",
        "         ^^",
    ]
    assert "3 schedules, 1 line left out; nothing was written, without --dry-run it would be" in result.stderr
    assert files(project) == []


def test_exactly_the_good_lines_are_written(project: Project) -> None:
    result = project.call("import", "crontab", "-", typed=TAB)

    assert result.exit_code == 8
    assert files(project) == ["crontab.toml"]
    assert [one["command"] for one in schedules(project, "crontab.toml")] == [
        "pg_dump mydb",
        "agent --start",
        "mail joe",
    ]
    assert "crontab.toml: 3 schedules, 1 line left out" in result.stderr
    assert "cron runs these lines as long as it has them too" in result.stderr
    assert project.call("validate", str(project.folder / "config" / "schedules")).exit_code == 0


def test_a_crontab_without_a_bad_line_is_a_success(project: Project, tmp_path: Path) -> None:
    tab = tmp_path / "nightly.tab"
    tab.write_text(GOOD)

    result = project.call("import", "crontab", str(tab))

    assert result.exit_code == 0
    assert [one["name"] for one in schedules(project, "nightly.toml")][:2] == [
        "nightly:pg_dump-mydb",
        "nightly:agent-start",
    ]


def test_a_file_that_is_there_is_never_overwritten(project: Project) -> None:
    (project.folder / "config" / "schedules" / "crontab.toml").write_text("# mine\n")

    refused = project.call("import", "crontab", "-", typed=GOOD)
    shown = project.call("import", "crontab", "-", "--dry-run", typed=GOOD)
    other = project.call("import", "crontab", "-", "--prefix", "cron", typed=GOOD)

    assert (refused.exit_code, shown.exit_code, other.exit_code) == (5, 0, 0)
    assert "choose another name with --prefix" in refused.stderr
    assert (project.folder / "config" / "schedules" / "crontab.toml").read_text() == "# mine\n"
    assert files(project) == ["cron.toml", "crontab.toml"]
    assert schedules(project, "cron.toml")[0]["name"] == "cron:pg_dump-mydb"


def test_programs_get_a_shape(project: Project) -> None:
    result = project.call("import", "crontab", "-", "--dry-run", "-o", "json", typed=TAB)

    shape = json.loads(result.stdout)
    lines = shape.pop("lines")
    assert shape == {"origin": "stdin", "file": None, "schedules": 3, "left_out": 1}
    assert [line["kind"] for line in lines] == [
        *("comment", "variable", "blank", "schedule", "schedule", "schedule", "error"),
    ]
    assert lines[3] == {
        "line": 4,
        "source": "@daily pg_dump mydb",
        "note": "",
        "kind": "schedule",
        "name": "crontab:pg_dump-mydb",
        "command": "pg_dump mydb",
        "when": {"kind": "cron", "expression": "@daily", "timezone": "UTC"} | lines[3]["when"],
        "text": "at 00:00 every day, UTC",
        "next_due": "2026-11-23T00:00:00.000Z",
        "stdin": None,
        "environment": {"HOME": own_account(os.geteuid()).home, "MAILTO": "kim@example.org"},
        "mail_to": "kim@example.org",
        "policies": {"catchup": "none", "overlap": "allow"},
    }


def test_without_a_file_it_is_what_crontab_l_shows(project: Project, program: Path) -> None:
    user = own_account(os.geteuid()).name
    install(program, "crontab", '[ "$*" = -l ] && echo "@daily x"')

    result = project.call("import", "crontab")

    assert result.exit_code == 0
    assert schedules(project, f"{user}.toml")[0]["name"] == f"{user}:x"


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo no crontab for kim >&2; exit 1", "`crontab -l` says: no crontab for kim"),
        (None, "there is no program 'crontab'\n  name a file, or - for stdin"),
    ],
)
def test_where_there_is_no_crontab_it_says_so(
    project: Project, program: Path, does: str | None, said: str
) -> None:
    if does is not None:
        install(program, "crontab", does)

    result = project.call("import", "crontab")

    assert result.exit_code == 3
    assert said in result.stderr


def test_a_system_crontab_has_users_of_which_ours_is_supported(project: Project) -> None:
    user = own_account(os.geteuid()).name
    tab = f"@daily {user} mine\n@daily nobody-else other\n"

    result = project.call("import", "crontab", "-", "--system", typed=tab)

    assert result.exit_code == 8
    assert "runs as nobody-else; this version runs commands as the daemon's own user only" in result.stdout
    assert [one["command"] for one in schedules(project, "crontab.toml")] == ["mine"]


def test_times_are_meant_in_the_zone_of_tz_or_of_the_settings(project: Project) -> None:
    project.call("import", "crontab", "-", "--tz", "Asia/Seoul", typed="@daily x\n")
    project.config.write_text(project.config.read_text() + 'timezone = "Europe/Berlin"\n')
    project.call("import", "crontab", "-", "--prefix", "b", typed="@daily x\n")

    assert schedules(project, "crontab.toml")[0]["timezone"] == "Asia/Seoul"
    assert schedules(project, "b.toml")[0]["timezone"] == "Europe/Berlin"


def test_that_nothing_can_be_mailed_is_said_before_it_is_relied_on(project: Project, program: Path) -> None:
    without = project.call("import", "crontab", "-", "--dry-run", typed=GOOD, environ={"PATH": "/nowhere"})
    install(program, "sendmail")
    found = project.call("import", "crontab", "-", "--dry-run", typed=GOOD, environ={"PATH": str(program)})

    if not any(os.path.exists(f"{folder}/sendmail") for folder in ("/usr/sbin", "/usr/lib")):
        assert "this machine has no sendmail: nothing will be mailed" in without.stderr
    assert "no sendmail" not in found.stderr


def test_a_crontab_of_which_nothing_is_good_makes_no_file(project: Project) -> None:
    result = project.call("import", "crontab", "-", typed="0 25 * * * x\n")

    assert result.exit_code == 8
    assert "0 schedules, 1 line left out: nothing to write" in result.stderr
    assert files(project) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"@daily x\n# \xff\n", "stdin:2: not a crontab: not UTF-8 text"),
        (
            (b"@daily " + b"x" * 1_000 + b"\n") * 600,
            "stdin: makes a schedule file of more than 1048576 bytes",
        ),
    ],
    ids=["not text", "too much"],
)
def test_what_cannot_be_a_schedule_file_is_refused(
    project: Project, tmp_path: Path, content: bytes, said: str
) -> None:
    tab = tmp_path / "tab"
    tab.write_bytes(content)

    result = project.call("import", "crontab", str(tab))

    assert result.exit_code == 8
    assert said.replace("stdin", str(tab)) in result.stderr
    assert files(project) == []


@pytest.mark.parametrize("prefix", ["", "../x", ".x", "a b", "x" * 101])
def test_a_prefix_that_is_no_file_name_is_a_usage_error(project: Project, prefix: str) -> None:
    assert project.call("import", "crontab", "-", "--prefix", prefix, typed=GOOD).exit_code == 2


def test_the_written_file_is_closed_to_other_writers(project: Project) -> None:
    project.call("import", "crontab", "-", typed=GOOD)

    mode = (project.folder / "config" / "schedules" / "crontab.toml").stat().st_mode
    assert mode & 0o133 == 0
