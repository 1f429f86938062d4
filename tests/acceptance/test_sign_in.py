"""Who may come in to a real daemon: whoever started it, by a link; and nobody from elsewhere before there are users."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.service import PROGRAM, Service
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
