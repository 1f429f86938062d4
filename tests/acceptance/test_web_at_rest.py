"""A web process that nobody asks anything gives its memory back, and is there again for who comes next."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.service import Service, command_line, descendants
from tests.waiting import SLOWER, eventually

_AFTER = "1s"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, web=f'port = 0\nrest_after = "{_AFTER}"')
    made.start()
    try:
        yield made
    finally:
        made.close()


def web_of(service: Service) -> list[int]:
    return [pid for pid in descendants(service.pid) if "web_program" in command_line(pid)]


def address_of(service: Service) -> str:
    (address,) = set(re.findall(r"ready web=(\S+)", service.log.read_text()))
    return str(address)


def status_of(service: Service) -> int:
    """What `/healthz` answers. Raises when nobody does."""
    return httpx2.get(f"{address_of(service)}/healthz", timeout=10 * SLOWER, verify=False).status_code


def test_it_rests_without_trouble_and_whoever_comes_is_served(service: Service) -> None:
    eventually(lambda: service.said("web_rests") == 1 and not web_of(service), within=20)
    assert service.cli("status")["troubles"] == []

    with ThreadPoolExecutor(5) as visitors:  # more than one connection waits for it
        seen = list(visitors.map(status_of, [service] * 5))

    assert seen == [200] * 5
    (pid,) = web_of(service)
    os.kill(pid, signal.SIGKILL)  # that is no rest: it is started again though nobody comes
    eventually(lambda: service.said("web_died") == 1, within=20)
    eventually(lambda: service.said("web_rests") == 2, within=20)
    assert service.stop(signal.SIGTERM) == 0


def test_what_it_says_in_the_log_has_its_time_and_its_level_as_the_daemons_own(service: Service) -> None:
    where = urlsplit(address_of(service))
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 80), timeout=10 * SLOWER) as visitor:
        visitor.sendall(b"this is no HTTP\r\n\r\n")
        eventually(lambda: service.said("Invalid HTTP request received.") == 1, within=20)

    lines = service.log.read_text().splitlines()
    (said,) = (line for line in lines if "Invalid HTTP" in line)
    assert re.fullmatch(r"\d\d:\d\d:\d\d WARNING Invalid HTTP request received\.", said)
    assert not [line for line in lines if not re.match(r"\d\d:\d\d:\d\d [A-Z]+ ", line)]
