"""What core and spawner say to each other: small JSON messages over a socket that keeps their borders.

Only ids travel; what a run needs lies in its folder.
"""

import json
import socket
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Core to spawner: take the prepared folder of this name and start it."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Core to spawner: end this attempt politely, and by force after `grace` seconds; said again, it may be sooner."""

    key: str
    why: str
    grace: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    """Core to spawner: say that you are there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pong:
    """Spawner to core: here I am."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """Spawner to core: preloading is done; `threads` other than 1 is worth a warning."""

    threads: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Spawner to core: the attempt was taken and forked as `pid`."""

    key: str
    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """Spawner to core: there was no such prepared folder; somebody took it before."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Spawner to core: the machine had no process, or no room, for this attempt; it was put back, and nothing of it ran."""

    key: str
    reason: str
    room: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """Spawner to core: the attempt has ended, and how is in its folder."""

    key: str


Message = Start | Stop | Ping | Pong | Ready | Taken | Gone | Refused | Ended
_KINDS: Final = {
    kind.__name__: kind for kind in (Start, Stop, Ping, Pong, Ready, Taken, Gone, Refused, Ended)
}


def encode(message: Message) -> bytes:
    """The message as one datagram."""
    fields = {name: getattr(message, name) for name in message.__slots__}
    return json.dumps([type(message).__name__, fields]).encode()


def decode(datagram: bytes) -> Message:
    """The message of a datagram; raises `ValueError` for anything else."""
    kind, fields = json.loads(datagram)
    return _KINDS[kind](**fields)


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection that keeps the borders of messages and sees the other end go."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def receive(connection: socket.socket) -> Message | None:
    """The next message; None when the other end has gone. Raises `BlockingIOError` when there is none yet."""
    try:
        datagram = connection.recv(LARGEST)
    except ConnectionResetError:
        return None
    return decode(datagram) if datagram else None
