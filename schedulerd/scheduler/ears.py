"""The ears of the core: one thread that listens to the doorbell, the spawner and adopted processes, and posts."""

import contextlib
import json
import os
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from schedulerd.engine.doorbell import WOKEN, hang
from schedulerd.engine.link import SpawnerLink
from schedulerd.scheduler.messages import JournalGrew, Message, ProcessEnded, SpawnerSpoke, Whispered, Woken

_JOIN_SECONDS = 5.0
_LONGEST_RING = 1 << 18


class Ears:
    """Turns what can be heard on descriptors into messages. It decides nothing."""

    def __init__(self, state_dir: Path, post: Callable[[Message], None]) -> None:
        self._post = post
        self._bell = hang(state_dir)
        self._poll = select.epoll()
        self._hear: dict[int, Callable[[], None]] = {}
        self._closing, self._close = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._stopping = False
        self._thread = threading.Thread(target=self._listen, name="ears", daemon=True)
        self._register(self._bell.fileno(), self._doorbell)
        self._register(self._closing, self._wanted_to_stop)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> bool:
        """Listen no more; False when the thread did not end in time. May be called twice, and before `start`."""
        self._stopping = True
        os.write(self._close, b"x")
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)
        self._bell.close()
        return not self._thread.is_alive()

    def listen_to(self, link: SpawnerLink) -> None:
        """Hear what a spawner says, until it has gone."""
        descriptor = link.fileno()

        def hear() -> None:
            for said in link.heard():
                if said is None:
                    self._forget(descriptor)
                self._post(SpawnerSpoke(said=said))

        self._register(descriptor, hear)

    def watch(self, pid: int, key: str) -> bool:
        """Post when this process ends; False when there is no such process (any more)."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return False

        def hear() -> None:
            self._forget(descriptor)
            os.close(descriptor)
            self._post(ProcessEnded(key=key))

        self._register(descriptor, hear)
        return True

    def wake_for(self, descriptor: int) -> None:
        """Post once, as soon as there is something to be read from it."""

        def hear() -> None:
            self._forget(descriptor)
            self._post(Woken())

        self._forget(descriptor)
        self._register(descriptor, hear)

    def _register(self, descriptor: int, hear: Callable[[], None]) -> None:
        self._hear[descriptor] = hear
        self._poll.register(descriptor, select.EPOLLIN)

    def _forget(self, descriptor: int) -> None:
        self._hear.pop(descriptor, None)
        with contextlib.suppress(OSError):
            self._poll.unregister(descriptor)

    def _listen(self) -> None:
        while not self._stopping:
            for descriptor, _ in self._poll.poll():
                hear = self._hear.get(descriptor)
                if hear is not None:
                    hear()

    def _wanted_to_stop(self) -> None:
        self._stopping = True

    def _doorbell(self) -> None:
        while True:
            try:
                rung = self._bell.recv(_LONGEST_RING, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:  # closed under us: we are stopping
                return
            if (message := _heard(rung)) is not None:
                self._post(message)


def _heard(rung: bytes) -> Message | None:
    """What a ring of the bell says; None for what is nothing of ours."""
    if rung == WOKEN:
        return Woken()
    if not rung.startswith(b"s"):
        return JournalGrew(key=rung[1:].decode("utf-8", "replace"))
    with contextlib.suppress(ValueError):
        key, question, value = json.loads(rung[1:])
        return Whispered(key=str(key), question=str(question), value=str(value))
    return None
