"""Tells systemd how the service does: sd_notify(3), a datagram to the socket that it names."""

import contextlib
import socket
from collections.abc import Mapping


class Notifier:
    """Sends notifications; does nothing where nobody asked for them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        microseconds = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(microseconds) / 1_000_000 if microseconds.isdigit() else None
        self._said: dict[str, str] = {}

    def say(self, **fields: str) -> None:
        """Send fields, `READY="1"` say; a status that has not changed is not repeated."""
        news = {
            key: value for key, value in fields.items() if key != "STATUS" or self._said.get(key) != value
        }
        self._said.update(news)
        if not self._address or not news:
            return
        text = "\n".join(f"{key}={value}" for key, value in news.items())
        with contextlib.suppress(OSError):
            self._socket.sendto(text.encode(), self._address)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
