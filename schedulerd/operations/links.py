"""Where somebody finds the pages, and how to come in without a password."""

from typing import Final
from urllib.parse import urlsplit

ENTER: Final = "/enter/"
"""What comes before the code in a sign-in link."""

_ANYWHERE: Final = ("0.0.0.0", "::")


def here(address: str) -> str:
    """The address of the web interface as a browser on this machine calls it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://localhost:{parts.port}" if parts.hostname in _ANYWHERE else address


def sign_in_link(address: str, code: str) -> str:
    """What a browser opens to use the code, at the web interface that listens on this address."""
    return f"{here(address)}{ENTER}{code}"
