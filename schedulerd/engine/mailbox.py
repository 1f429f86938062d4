"""Where a run is answered: its inbox, a file that the core appends to, and a door for what must not lie on disk.

The door is a socket in the run's folder. It is knocked at, too, when the inbox has grown, so that nobody waits long;
the inbox is looked at now and then in any case. Both are found by any daemon, and not only by the one that was asked.
"""

import contextlib
import json
import os
import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

INBOX: Final = "inbox.jsonl"
LARGEST_PRIVATE: Final = 96 * 1024
_KNOCK: Final = b"\n"
_LOOK_SECONDS: Final = 0.25
_PIECE: Final = 1 << 20

Answer = Mapping[str, Any]


class Mailbox:
    """The mailbox of one process of a run, in the run's folder, which is open or may be opened now."""

    def __init__(self, folder: int) -> None:
        """Raises `OSError` where the folder cannot be written to."""
        self.pid: Final = os.getpid()
        self.door: Final = f"answers.{self.pid}.sock"
        self._inbox: Final = os.open(INBOX, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)
        self._socket: Final = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.door, dir_fd=folder)  # of a process of this number that is gone
        self._socket.bind(f"/proc/self/fd/{folder}/{self.door}")
        self._offset = 0
        self._rest = b""
        self._answers: Final[dict[str, Answer]] = {}
        self._reading: Final = threading.Lock()

    def wait(self, name: str, *, until: float | None) -> Answer | None:
        """The answer to the question of that name; None where the monotonic time `until` passes without."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while True:
            with self._reading:
                self._read()
                if name in self._answers:
                    return self._answers.pop(name)
            patience = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, until - monotonic())
            if patience <= 0:
                return None
            poll.poll(patience * 1_000)

    def close(self) -> None:
        """Let go of it; its door stays where it is, and leads nowhere."""
        self._socket.close()
        os.close(self._inbox)

    def _read(self) -> None:
        for answer in (*self._knocks(), *self._lines()):
            if isinstance(answer.get("id"), str):
                self._answers[answer["id"]] = answer

    def _knocks(self) -> Iterator[dict[str, Any]]:
        while True:
            try:
                data = self._socket.recv(LARGEST_PRIVATE + 1_024)
            except BlockingIOError:
                return
            if data != _KNOCK:
                yield from _answers([data])

    def _lines(self) -> Iterator[dict[str, Any]]:
        while piece := os.pread(self._inbox, _PIECE, self._offset):
            self._offset += len(piece)
            *whole, self._rest = (self._rest + piece).split(b"\n")
            yield from _answers(whole)


def put_into_inbox(folder: Path, answers: Sequence[Mapping[str, Any]], doors: Sequence[str]) -> bool:
    """Append answers to the inbox of a run, and knock; False when the run has none any more.

    Raises `OSError` where there is no room; what was written of it by then is no answer.
    """
    data = b"".join(b"\n" + json.dumps(answer).encode() for answer in answers) + b"\n"
    try:
        inbox = os.open(folder / INBOX, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if os.write(inbox, data) != len(data):
            raise OSError(28, "no space left for an answer", str(folder / INBOX))
    finally:
        os.close(inbox)
    for door in {*doors} - {""}:
        _send(folder, door, _KNOCK)
    return True


def hand_over(folder: Path, door: str, answer: Mapping[str, Any]) -> bool:
    """Give an answer to a live run, and to nothing else; False when it could not be given now."""
    return _send(folder, door, json.dumps(answer).encode())


def _send(folder: Path, door: str, data: bytes) -> bool:
    try:
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(data, f"/proc/self/fd/{place}/{door}")
        except OSError:
            return False
        finally:
            os.close(place)
    return True


def _answers(lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):  # the beginning of one that found no room
            answer = json.loads(line)
            if isinstance(answer, dict):
                yield answer
