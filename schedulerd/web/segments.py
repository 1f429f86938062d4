"""Names as one segment of an address, whatever is in them: `team/etl` is `/flows/team~2Fetl`.

Percent-encoding alone will not do: servers and proxies take `%2F` apart before they look for a route, some decode `%25` twice,
browsers take `%2E%2E` for the folder above, and `/flows/new` is a page of its own.
"""

import re
from typing import Final
from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.types import Scope

_TAKEN: Final = frozenset({"new", ".", ".."})
"""What stands for something else in the place of a name."""

_ESCAPED: Final = re.compile(r"~([0-9A-F]{2})")
_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)
_PLAIN: Final = "/~!$&'()*+,;=:@"


def segment(name: str) -> str:
    """The name as it stands in an address, between two slashes."""
    escaped = name.replace("~", "~7E").replace("/", "~2F").replace("%", "~25")
    if name in _TAKEN:
        escaped = f"~{ord(name[0]):02X}{name[1:].replace('.', '~2E')}"
    return quote(escaped, safe="")


def name_of(segment: str) -> str:
    """The name that stands so in an address, percent-encoding taken away."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), segment)


def path_of(request: Request) -> str:
    """The path of a request as an address has it, to come back to."""
    return quote(request.scope["path"], safe=_PLAIN)


def with_whole_segments(scope: Scope) -> Scope:
    """The request, in the path of which a slash that is a part of a name parts nothing."""
    raw: bytes = scope.get("raw_path") or b""
    if not _SLASH.search(raw):
        return scope
    return {**scope, "path": unquote(_SLASH.sub(b"~2F", raw).decode("ascii", "replace"))}


class SegmentConvertor(Convertor[str]):
    """A name in a path."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """The name."""
        return name_of(value)

    def to_string(self, value: str) -> str:
        """What stands for it."""
        return segment(value)


CONVERTOR: Final = "segment"
register_url_convertor(
    CONVERTOR, SegmentConvertor()
)  # Starlette knows convertors by name, in one table for all
