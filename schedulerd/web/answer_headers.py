"""What every answer carries, whatever becomes of the request: who makes an answer beside the door adds it there, too."""

from typing import Final

from starlette.datastructures import MutableHeaders

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_KEPT_NOWHERE: Final = "no-store"


def complete(headers: MutableHeaders) -> None:
    """Add what is not there. An answer that does not say how long it may be kept is kept nowhere."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", _KEPT_NOWHERE)
