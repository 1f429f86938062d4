"""Schedule files that schedulerd writes itself, one for each schedule: what stands in one, and whether it is still ours. Pure.

A file is ours as long as it is what we wrote: its head has the hash of all below. Whoever changes it by hand makes it
their own, and it is not written again.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from schedulerd.domain.toml_text import parse_toml
from schedulerd.domain.toml_writing import assignment
from schedulerd.errors import BadDefinition

PREFIX: Final = "web-"
"""How the names of these files begin."""

_LONGEST_SLUG: Final = 40
_DIGITS: Final = 12
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ABOUT: Final = (
    "# It is written anew when the schedule is changed in the web interface or by the API. Change it by hand, and it is\n"
    "# yours: schedulerd goes by it, and does not write it again."
)
_HEAD: Final = re.compile(
    r"# Written by schedulerd for (?P<by>[^\n]*) at (?P<at>[0-9T:Z-]+)\.\n"
    + re.escape(_ABOUT)
    + r"\n# sha256 (?P<digest>[0-9a-f]{64})\n\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnFile:
    """What one of them holds: the keys of its schedule, who had it written and when. `etag` tells one content from another."""

    values: Mapping[str, Any]
    by: str
    at: datetime
    etag: str


def file_name(schedule: str) -> str:
    """The name of the file for a schedule: of the safe letters of its name, and told from all others by a hash."""
    slug = _NOT_SLUG.sub("-", schedule.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
    digest = hashlib.sha256(schedule.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{PREFIX}{slug}-{digest}.toml" if slug else f"{PREFIX}{digest}.toml"


def file_text(values: Mapping[str, Any], *, by: str, at: datetime) -> str:
    """The text of a file with this schedule, each key on a line of its own. Raises `ValueError` for what TOML cannot say."""
    body = "\n".join(["[[schedule]]", *(assignment(key, value) for key, value in values.items()), ""])
    who, when = _CONTROLS.sub(" ", by), f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"# Written by schedulerd for {who} at {when}.\n{_ABOUT}\n# sha256 {_digest(body)}\n\n{body}"


def read_own(content: bytes) -> OwnFile | None:
    """What the file holds; None where it is not what we wrote."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    head = _HEAD.match(text)
    if head is None or head["digest"] != _digest(text[head.end() :]):
        return None
    try:
        (values,) = parse_toml(text, file="").data["schedule"]
        at = datetime.fromisoformat(head["at"])
    except (BadDefinition, KeyError, ValueError):
        return None
    return OwnFile(values=values, by=head["by"], at=at, etag=etag_of(content))


def etag_of(content: bytes) -> str:
    """What tells this content from any other."""
    return hashlib.sha256(content).hexdigest()


def key_at(text: str, line: int | None) -> str:
    """The key of the schedule that stands on this line of a file of ours; empty for none."""
    lines = parse_toml(text, file="").lines
    return next(
        (
            str(path[2])
            for path, at in lines.items()
            if at == line and len(path) == 3 and path[0] == "schedule"
        ),
        "",
    )


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
