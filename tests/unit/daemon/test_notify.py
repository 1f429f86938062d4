"""What systemd is told: real datagrams to a socket of our own."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from schedulerd.daemon.environment import for_children
from schedulerd.daemon.notify import Notifier


@contextmanager
def a_listener(address: str) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(address)
        listener.settimeout(5)
        yield listener


@contextmanager
def a_notifier(**environ: str) -> Iterator[Notifier]:
    with closing(Notifier(environ)) as notifier:
        yield notifier


def test_the_fields_are_lines_of_one_datagram(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with a_listener(path) as listener, a_notifier(NOTIFY_SOCKET=path) as notifier:
        notifier.say(READY="1", STATUS="0 running")

        assert listener.recv(1024) == b"READY=1\nSTATUS=0 running"


def test_an_address_with_an_at_sign_has_no_place_in_the_file_system(tmp_path: Path) -> None:
    name = f"schedulerd-test-{tmp_path}"
    with a_listener(f"\0{name}") as listener, a_notifier(NOTIFY_SOCKET=f"@{name}") as notifier:
        notifier.say(READY="1")

        assert listener.recv(1024) == b"READY=1"


def test_a_status_that_has_not_changed_is_not_repeated_but_a_sign_of_life_is(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with a_listener(path) as listener, a_notifier(NOTIFY_SOCKET=path) as notifier:
        for status in ("idle", "idle", "busy"):
            notifier.say(WATCHDOG="1", STATUS=status)

        said = [listener.recv(1024) for _ in range(3)]
        assert said == [b"WATCHDOG=1\nSTATUS=idle", b"WATCHDOG=1", b"WATCHDOG=1\nSTATUS=busy"]


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/notify"}])
def test_nobody_who_listens_is_no_trouble(environ: dict[str, str]) -> None:
    with a_notifier(**environ) as notifier:
        notifier.say(READY="1")


@pytest.mark.parametrize(("given", "seconds"), [("30000000", 30.0), ("", None), ("soon", None)])
def test_the_watchdogs_time_is_read_in_seconds(given: str, seconds: float | None) -> None:
    with a_notifier(WATCHDOG_USEC=given) as notifier:
        assert notifier.watchdog_seconds == seconds


def test_children_are_told_neither_how_to_speak_for_the_service_nor_the_databases_password() -> None:
    environ = {
        "NOTIFY_SOCKET": "/n",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "2",
        "SCHEDULERD_STORE__URL": "postgresql://me:secret@host/name",
        "PATH": "/bin",
    }

    assert for_children(environ) == {"PATH": "/bin"}
