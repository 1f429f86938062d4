"""The line to a PostgreSQL server: a socket between it and its clients, on which either direction can be held up."""

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

_NAME: Final = ".s.PGSQL.5432"


class PostgresLine:
    """Takes connections, and passes on what is said. What is held up is not lost: it comes late, as over a network."""

    def __init__(self, server: Path) -> None:
        """`server` is the folder of the server's socket."""
        self._server = server / _NAME
        self.folder = Path(tempfile.mkdtemp(prefix="schedulerd-line-", dir="/tmp"))
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._requests, self._replies = threading.Event(), threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.restore()

    def __enter__(self) -> Self:
        self._listener.bind(str(self.folder / _NAME))
        self._listener.listen(64)
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """How the store reaches a database of the server over this line."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.folder))}"

    def cut(self) -> None:
        """Nothing passes in either direction; nobody is told."""
        self._requests.clear()
        self._replies.clear()

    def hold_replies(self) -> None:
        """What clients ask is done, and they do not hear of it."""
        self._replies.clear()

    def restore(self) -> None:
        """All passes again, what was held up first."""
        self._requests.set()
        self._replies.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._open += [client, server]
                try:
                    server.connect(str(self._server))
                except OSError:  # the server is down: the client sees the same as without us
                    client.close()
                    continue
                self._begin(self._pass_on, client, server, self._requests)
                self._begin(self._pass_on, server, client, self._replies)

    def _pass_on(self, source: socket.socket, target: socket.socket, gate: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                gate.wait()
                target.sendall(data)
        gate.wait()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
