"""A service that messages and pings are sent to: a real one over HTTP, which may refuse, hang or be away."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.waiting import eventually


class ReceivingServer(ThreadingHTTPServer):
    """Keeps what comes in."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.paths: list[str] = []
        self.logins: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.tries = 0
        self.hangs = threading.Event()
        self.go_on = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: ReceivingServer

    def do_GET(self) -> None:
        self._take(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._take(json.loads(self.rfile.read(length)))

    def _take(self, message: dict[str, Any] | None) -> None:
        self.server.tries += 1
        if self.server.hangs.is_set():
            self.server.go_on.wait(60)
        if self.server.status == 200:
            self.server.paths.append(self.path)
            self.server.logins.append(self.headers.get("Authorization", ""))
            if message is not None:
                self.server.messages.append(message)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: pytest has no use for it."""


class ReceivingService:
    """The service, which can be taken away and brought back at the same address."""

    def __init__(self) -> None:
        self._server: ReceivingServer | None = ReceivingServer()
        self.port: Final[int] = self._server.server_address[1]
        self._kept = self._server
        self._serve(self._server)

    @property
    def server(self) -> ReceivingServer:
        """What it has taken, and how it behaves."""
        return self._kept

    @property
    def titles(self) -> list[str]:
        """The titles of what it took."""
        return [message["title"] for message in list(self._kept.messages)]

    @property
    def bodies(self) -> list[str]:
        """What it took."""
        return [message["message"] for message in list(self._kept.messages)]

    @property
    def paths(self) -> list[str]:
        """The paths that were called, and answered well."""
        return list(self._kept.paths)

    def body(self, having: Callable[[str], bool], *, within: float = 60.0) -> str:
        """The first message of which this is true, waited for."""
        return eventually(lambda: next((body for body in self.bodies if having(body)), ""), within=within)

    def go_away(self) -> None:
        """Be reachable no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def come_back(self) -> None:
        """Be there again."""
        server = ReceivingServer(self.port)
        server.messages, server.paths = self._kept.messages, self._kept.paths
        self._server = self._kept = server
        self._serve(server)

    def close(self) -> None:
        """End it."""
        self._kept.go_on.set()
        self.go_away()

    def _serve(self, server: ReceivingServer) -> None:
        threading.Thread(target=lambda: server.serve_forever(0.05), daemon=True).start()
