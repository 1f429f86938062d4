"""Who may come in to a real daemon: whoever started it, by a link; and nobody from elsewhere before there are users."""

import http.client
import os
import pty
import re
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.service import PROGRAM, Service, command_line, descendants, environment
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

PASSWORD: Final = "canary battery staple 4711"
LINK: Final = re.compile(r"http://127\.0\.0\.1:\d+/enter/([\w-]{43})")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    one = Service(tmp_path, web="port = 0")
    yield one
    one.close()


def kept(service: Service) -> bytes:
    """All that the daemon has written anywhere."""
    files = [*service.state.rglob("*"), *service.folder.glob("*.log")]
    return b"".join(path.read_bytes() for path in files if path.is_file())


def test_a_daemon_that_others_can_reach_starts_only_where_there_is_a_user(tmp_path: Path) -> None:
    service = Service(tmp_path, web='port = 0\nhost = "0.0.0.0"')
    try:
        service.start(wait=False)
        assert service.process is not None
        refused = service.process.wait(60)
        said = service.log.read_text()
        added = subprocess.run(
            [*PROGRAM, "--config", str(tmp_path / "config/schedulerd.toml"), "users", "add", "kim"],
            input=PASSWORD,
            text=True,
            capture_output=True,
            check=False,
        )
        service.start()
    finally:
        service.close()

    assert refused == 4
    assert "other machines can reach 0.0.0.0, and there is no user with a password yet" in said
    assert "schedulerd users add NAME --role admin" in said
    assert added.returncode == 0, added.stderr


def test_a_daemon_in_a_terminal_prints_a_link_that_is_in_no_file(service: Service) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--config", str(service.folder / "config/schedulerd.toml"), "start"],
        cwd=service.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    service.process = process
    said = b""
    while b"Ctrl-C stops it" not in said:
        said += os.read(ours, 65_536)

    found = LINK.search(said.decode())
    assert found is not None, said.decode()
    assert "later:" in said.decode()
    assert found[1].encode() not in kept(service)
    service.stop()
    os.close(ours)


def test_a_daemon_that_writes_to_a_log_prints_no_link_and_open_makes_one(service: Service) -> None:
    service.start()
    eventually(lambda: service.cli("status")["agents"], within=30)

    opened = service.command("open")

    found = LINK.fullmatch(opened.stdout.strip())
    assert found is not None, opened.stderr
    assert "/enter/" not in service.log.read_text()
    assert found[1].encode() not in kept(service)


def test_a_link_and_a_password_and_a_token_let_one_in_and_are_seen_by_nobody_else(service: Service) -> None:
    service.start()
    eventually(lambda: service.cli("status")["agents"], within=30)
    added = subprocess.run(
        [*PROGRAM, "--config", str(service.folder / "config/schedulerd.toml"), "users", "add", "kim"],
        input=PASSWORD,
        text=True,
        capture_output=True,
        check=False,
    )
    found = LINK.fullmatch(service.command("open").stdout.strip())
    token = service.command("tokens", "create", "ci", "--role", "admin").stdout.strip()
    assert found is not None
    assert added.returncode == 0, added.stderr
    address = found[0].partition("/enter/")[0]
    eventually(lambda: ask(address, "GET", "/healthz")[0] == 200, within=60)

    entered, link_cookie = ask(address, "POST", f"/enter/{found[1]}")
    again, _ = ask(address, "POST", f"/enter/{found[1]}")
    form = urllib.parse.urlencode({"name": "kim", "password": PASSWORD})
    signed_in, password_cookie = ask(address, "POST", "/login", body=form)
    known = [
        ask(address, "GET", "/api/v1/me", Cookie=link_cookie)[0],
        ask(address, "GET", "/api/v1/me", Cookie=password_cookie)[0],
        ask(address, "GET", "/api/v1/audit", Cookie=password_cookie)[0],
        ask(address, "GET", "/api/v1/audit", Authorization=f"Bearer {token}")[0],
        ask(address, "GET", "/api/v1/me")[0],
    ]
    lines = " ".join(command_line(pid) + environment(pid) for pid in descendants(service.pid))
    assert service.stop() == 0

    assert (entered, again, signed_in) == (303, 403, 303)
    assert known == [200, 200, 403, 200, 401]
    cookies = [cookie.partition("=")[2] for cookie in (link_cookie, password_cookie)]
    for canary in (found[1], PASSWORD, token.split("_", 2)[2], *cookies):
        assert len(canary) > 20
        assert canary.encode() not in kept(service)
        assert canary not in lines
    assert b"kim" in kept(service)


def ask(address: str, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    """The status of the answer, and the cookie that comes with it."""
    host = urllib.parse.urlsplit(address).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    given = {"Origin": address, **headers}
    if body is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        answer.read()
    except OSError:
        return 0, ""
    finally:
        connection.close()
    return answer.status, (answer.getheader("Set-Cookie") or "").partition(";")[0]
