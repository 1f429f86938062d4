"""ETags: an answer that is known need not come again, and nobody overwrites what was changed meanwhile."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Final

from fastapi import Header, Request
from fastapi.responses import JSONResponse, Response

from schedulerd.web.problems import Refusal

_DIGEST_BYTES: Final = 12
_ANY: Final = "*"

IfMatch = Annotated[
    str | None,
    Header(max_length=1_000, description="The ETag of what is to be changed, as it was read."),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        max_length=1_000, description="`*`: only where there is none yet. For GET: the ETag that is known."
    ),
]


def etag_of(shape: Mapping[str, Any]) -> str:
    """The strong ETag of what is answered: the same for the same."""
    text = json.dumps(shape, sort_keys=True, default=str)
    return f'"{blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"'


def tagged(request: Request, shape: Mapping[str, Any], *, status: int = 200) -> Response:
    """The answer with its ETag; 304 and nothing else where whoever asks has it already."""
    etag = etag_of(shape)
    known = request.headers.get("if-none-match", "")
    if request.method in ("GET", "HEAD") and (known.strip() == _ANY or etag in _etags(known, weak=True)):
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(shape, status, headers={"ETag": etag})


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What has to be the case for a change: that there is none yet (`is_new`), or one of these versions."""

    is_new: bool
    etags: frozenset[str]

    def holds(self, shape: Mapping[str, Any] | None) -> bool:
        """Is it the case of what is there; None: nothing is."""
        if self.is_new or shape is None:
            return self.is_new and shape is None
        return _ANY in self.etags or etag_of(shape) in self.etags


def condition_of(if_match: str | None, if_none_match: str | None) -> Condition:
    """What these headers demand. Refuses (428) where they demand nothing: that would change what nobody has seen."""
    if if_match is not None:
        return Condition(is_new=False, etags=_etags(if_match))
    if if_none_match is not None and if_none_match.strip() == _ANY:
        return Condition(is_new=True, etags=frozenset())
    raise Refusal(
        428,
        "a change says what it changes",
        mend="send `If-Match` with the ETag that a GET answered; for what is new `If-None-Match: *`",
    )


def _etags(header: str, *, weak: bool = False) -> frozenset[str]:
    """The ETags of a header. A weak one is as good as a strong one to read by, and never to change by (RFC 9110)."""
    found = (one.strip() for one in header.split(","))
    return frozenset(one.removeprefix("W/") if weak else one for one in found)
