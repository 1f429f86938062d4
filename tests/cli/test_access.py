"""`users`, `tokens`, `audit` and `open`: who may come in, by the command line."""

import getpass
import json
import os
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from schedulerd.cli import open as opening
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.health import Health, Trouble, TroubleKind
from schedulerd.domain.sessions import SignInCode
from schedulerd.engine.health_file import HealthFile
from schedulerd.engine.lock import DaemonLock
from schedulerd.operations.sign_in import digest_of
from tests.builders import BOOT, NOW
from tests.cli.scenes import Project
from tests.cli.test_secrets import everything

PASSWORD = "canary battery staple 4711"


def add(project: Project, name: str = "kim", role: str = "admin") -> None:
    done = project.call("users", "add", name, "--role", role, typed=PASSWORD + "\n")
    assert done.exit_code == 0, done.stderr


def test_a_user_is_added_by_a_password_from_stdin_and_is_a_viewer_unless_said(project: Project) -> None:
    done = project.call("users", "add", "Kim", typed=PASSWORD)
    listed = project.call("users", "list", "-o", "json")

    assert (done.exit_code, done.stdout) == (0, "kim is a viewer\n")
    (user,) = json.loads(listed.stdout)
    assert user == {
        "name": "kim",
        "role": "viewer",
        "enabled": True,
        "created_at": "2026-11-22T06:00:00.000Z",
        "disabled_at": None,
    }


@pytest.mark.parametrize(
    ("words", "typed", "code", "reason"),
    [
        (["kim"], "changeme-2026\n", 2, "one of those that are tried first"),
        (["kim"], "short\n", 2, "needs at least 12"),
        (["kim"], "", 2, "0 characters"),
        (["a b"], PASSWORD, 2, "cannot be the name of a user"),
        (["kim", PASSWORD], "", 2, "unexpected extra argument"),
        (["lee"], PASSWORD, 5, "there is a user 'lee' already"),
    ],
)
def test_who_cannot_be_a_user_is_told_why(
    project: Project, words: list[str], typed: str, code: int, reason: str
) -> None:
    add(project, "lee")

    done = project.call("users", "add", *words, typed=typed)

    assert done.exit_code == code
    assert reason in done.stderr or reason in done.stderr.lower()
    assert len(json.loads(project.call("users", "list", "-o", "json").stdout)) == 1


def test_roles_passwords_and_users_are_changed_and_the_last_admin_stays(project: Project) -> None:
    add(project)
    add(project, "lee", "viewer")

    refused = [project.call("users", "disable", "kim"), project.call("users", "role", "kim", "viewer")]
    done = [
        project.call("users", "role", "lee", "admin"),
        project.call("users", "disable", "KIM"),
        project.call("users", "enable", "kim"),
        project.call("users", "password", "kim", typed=PASSWORD + " new\n"),
    ]

    assert [(one.exit_code, "the last admin" in one.stderr) for one in refused] == [(5, True)] * 2
    assert [one.stdout for one in done] == [
        "lee is an admin\n",
        "kim is let in no more\n",
        "kim is let in\n",
        "kim has another password\n",
    ]
    assert project.call("users", "role", "nobody", "admin").exit_code == 3
    assert project.call("users", "password", "nobody", typed=PASSWORD).exit_code == 3


def test_a_user_is_removed_where_somebody_says_yes_and_the_last_admin_stays(project: Project) -> None:
    add(project)
    add(project, "lee", "viewer")

    unasked = project.call("users", "remove", "lee")
    last = project.call("users", "remove", "kim", "--yes")
    done = project.call("users", "remove", "LEE", "--yes")

    assert (unasked.exit_code, last.exit_code, done.stdout) == (2, 5, "lee is no user any more\n")
    assert [one["name"] for one in json.loads(project.call("users", "list", "-o", "json").stdout)] == ["kim"]


def test_a_token_is_printed_once_and_listed_without_its_secret(project: Project) -> None:
    made = project.call("tokens", "create", "ci", "--scope", "runs:trigger", "--expires", "7d")
    shaped = project.call("tokens", "create", "all", "--role", "operator", "-o", "json")
    usual = project.call("tokens", "create", "look", "-o", "name")
    listed = project.call("tokens", "list", "-o", "json")

    text = made.stdout.strip()
    assert text.startswith("sdt_")
    assert "shown this once, and lasts until 2026-11-29" in made.stderr
    tokens = {one["name"]: one for one in json.loads(listed.stdout)}
    assert tokens["ci"]["scopes"] == ["runs:trigger"]
    assert tokens["look"]["scopes"] == ["agents:read", "flows:read", "logs:read", "runs:read"]
    assert "runs:cancel" in tokens["all"]["scopes"]
    assert "admin" not in tokens["all"]["scopes"]
    assert tokens["look"]["expires_at"] == "2027-02-20T06:00:00.000Z"
    for shown in (text, json.loads(shaped.stdout)["token"], usual.stdout.strip()):
        assert shown.split("_", 2)[2] not in listed.stdout
        assert shown.split("_", 2)[2].encode() not in everything(project)

    revoked = project.call("tokens", "revoke", tokens["ci"]["id"])
    assert f"{tokens['ci']['id']} (ci, of " in revoked.stderr
    assert project.call("tokens", "revoke", tokens["ci"]["id"]).exit_code == 3


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["ci", "--expires", "3650d"], "at most 366 days"),
        (["ci", "--scope", "everything"], "is not one of"),
        (["ci", "--scope", "admin", "--role", "viewer"], "name it, or each --scope"),
        (["  "], "name of a token"),
    ],
)
def test_what_cannot_be_a_token_is_a_usage_error(project: Project, words: list[str], reason: str) -> None:
    done = project.call("tokens", "create", *words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr


def test_the_audit_tells_who_did_what_and_never_a_password(project: Project) -> None:
    add(project)
    project.call("users", "role", "kim", "admin")
    project.call("users", "password", "kim", typed=PASSWORD + "2")

    table = project.call("audit", "-o", "wide")
    entries = json.loads(project.call("audit", "-o", "json", "-n", "1").stdout)
    nobody = project.call("audit", "--who", "nobody")
    later = project.call("audit", "--since", "2027-01-01", "-o", "json")

    assert [entry["what"] for entry in entries] == ["users.password"]
    assert (entries[0]["target"], entries[0]["means"]) == ("kim", "account")
    assert "users.add" in table.stdout
    assert 'role: "admin"' in table.stdout
    assert "users.role" not in table.stdout  # nothing was changed by it
    assert (nobody.exit_code, nobody.stdout) == (0, "")
    assert json.loads(later.stdout) == []
    assert "canary" not in table.stdout + json.dumps(entries)
    assert PASSWORD.encode() not in everything(project)


class Running:
    """A daemon, as far as others see one."""

    def __init__(self, project: Project, web: str | None) -> None:
        self.lock = DaemonLock(project.state_dir)
        self.lock.acquire()
        beat = AgentBeat(
            name="here",
            host=socket.gethostname(),
            pid=os.getpid(),
            version="1",
            boot_id=BOOT,
            started_at=NOW,
            beat_at=NOW,
            status={"web": web},
        )
        elsewhere = replace(beat, name="elsewhere", host="another", status={"web": "http://192.0.2.1:1"})
        with project.database.write() as tx:
            tx.agents.beat(elsewhere)
            tx.agents.beat(beat)


@pytest.mark.parametrize(
    ("address", "begins"),
    [
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123/enter/"),
        ("http://0.0.0.0:8123", "http://localhost:8123/enter/"),
        ("http://[::]:8123", "http://localhost:8123/enter/"),
    ],
)
def test_open_prints_a_link_with_a_code_of_which_the_hash_is_kept(
    project: Project, address: str, begins: str
) -> None:
    running = Running(project, address)

    done = project.call("open")

    running.lock.release()
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(begins)
    code = done.stdout.strip().removeprefix(begins)
    assert code.encode() not in everything(project)
    with project.database.write() as tx:
        found = tx.sessions.use_code(digest_of(code), at=NOW)
    assert isinstance(found, SignInCode)
    assert (found.role.value, found.made_at) == ("admin", NOW)


def test_open_says_what_keeps_it_from_making_a_link(project: Project) -> None:
    none = project.call("open")
    running = Running(project, None)
    without = project.call("open")
    running.lock.release()

    assert (none.exit_code, "schedulerd start" in none.stderr) == (6, True)
    assert (without.exit_code, "without its web interface" in without.stderr) == (6, True)


def test_open_does_not_say_that_there_is_no_web_interface_where_the_daemon_could_not_write_where_it_is(
    project: Project,
) -> None:
    lock = DaemonLock(project.state_dir)
    lock.acquire()
    full = Trouble(kind=TroubleKind.SPACE, reason="the state directory has 0 B left", since=NOW)
    HealthFile(project.state_dir).write(Health(troubles=(full,)))

    done = project.call("open")

    lock.release()
    assert done.exit_code == 6
    assert "has not written into the database yet where its web interface is" in done.stderr
    assert "the state directory has 0 B left" in done.stderr
    assert "without" not in done.stderr


def test_a_browser_is_shown_the_link_by_a_file_for_this_user_and_not_by_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$*" > {tmp_path}/argument\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")

    opening._show("http://127.0.0.1:1/enter/canary-code", {"XDG_RUNTIME_DIR": str(tmp_path)})

    argument = (tmp_path / "argument").read_text()
    page = Path(argument.removeprefix("file://"))
    assert "canary" not in argument
    assert 'url=http://127.0.0.1:1/enter/canary-code"' in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_what_is_changed_on_the_command_line_is_in_the_audit_field_by_field(project: Project) -> None:
    project.call("variables", "set", "region", "kr")
    project.call("variables", "set", "region", "us")
    project.call("limits", "set", "warehouse", "3")
    project.call("variables", "unset", "region")

    told = json.loads(project.call("audit", "-o", "json").output)
    wide = project.call("audit", "-o", "wide").output

    assert [(one["what"], one["target"]) for one in told] == [
        ("variables.delete", "region"),
        ("limits.set", "warehouse"),
        ("variables.set", "region"),
        ("variables.set", "region"),
    ]
    assert {(one["who"], one["means"]) for one in told} == {(getpass.getuser(), "account")}
    assert told[2]["changes"] == [{"field": "value", "before": "kr", "after": "us"}]
    assert 'value: "kr" → "us"' in wide
