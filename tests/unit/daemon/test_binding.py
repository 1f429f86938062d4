"""The address of the web interface, as the daemon takes it."""

import socket
import threading

import pytest

from schedulerd.daemon.binding import bind
from schedulerd.errors import NotPermitted, PortTaken


def taken() -> socket.socket:
    """A socket of another program."""
    return socket.create_server(("127.0.0.1", 0))


def test_a_port_that_another_program_keeps_is_told_with_what_to_do() -> None:
    with taken() as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}: another program uses this port") as told:
            bind("127.0.0.1", port, patience=0.1)

    assert f"--port {port + 1}" in str(told.value.mend)


def test_a_port_that_is_let_go_of_in_a_moment_is_taken_then() -> None:
    other = taken()
    port = other.getsockname()[1]
    timer = threading.Timer(0.2, other.close)
    timer.start()

    with bind("127.0.0.1", port, patience=30) as listener:
        assert listener.getsockname()[1] == port
    timer.join()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_this_machine_does_not_have_is_no_port_in_use(host: str) -> None:
    with pytest.raises(NotPermitted, match=f"cannot listen on {host}:8080: .+") as told:
        bind(host, 8080)

    assert "[web] host" in str(told.value.mend)
