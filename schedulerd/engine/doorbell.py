"""The doorbell: a datagram socket in the state directory, rung when there is something to look at.

Ringing is best effort and never waits; whoever listens also looks on its own, a little later.
"""

import contextlib
import os
import socket
from pathlib import Path
from typing import Final

WOKEN: Final = b"w"  # a wish or a run was recorded in the database
_NAME: Final = "wake.sock"
_LONGEST_ADDRESS: Final = 107  # sun_path of unix(7), less its NUL


class Doorbell:
    """Rings at a state directory."""

    def __init__(self, state_dir: Path | str) -> None:
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        self._address, self._folder = _address(str(state_dir))
        self._is_at_the_door = False

    def go_to_the_door(self) -> None:
        """Take the way now, for somebody who may soon be allowed it no more; best effort, as the ringing is."""
        with contextlib.suppress(OSError):
            self._socket.connect(self._address)
            self._is_at_the_door = True

    def ring(self, what: bytes) -> bool:
        """Ring; False when nobody answers the door."""
        if self._is_at_the_door:
            with contextlib.suppress(OSError):
                self._socket.send(what)
                return True
        try:
            self._socket.sendto(what, self._address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
        if self._folder is not None:
            os.close(self._folder)


def hang(state_dir: Path) -> socket.socket:
    """The socket at which a state directory's doorbell is heard; replaces one that a dead daemon left."""
    address, folder = _address(str(state_dir))
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(state_dir / _NAME)
    bell.bind(address)
    os.chmod(state_dir / _NAME, 0o660)  # the group may ask for runs
    if folder is not None:
        os.close(folder)
    return bell


def take_down(state_dir: Path) -> None:
    """Remove the doorbell, so that people are told that nobody is at home."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(state_dir / _NAME)


def _address(state_dir: str) -> tuple[str, int | None]:
    """The address of the bell, by way of an open folder where its path is too long for one."""
    plain = os.path.join(state_dir, _NAME)
    if len(os.fsencode(plain)) <= _LONGEST_ADDRESS:
        return plain, None
    folder = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{folder}/{_NAME}", folder
