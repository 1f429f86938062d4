"""What runs tell people and programs beside their log: artifacts, and events."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schedulerd.domain.ids import RunKey
from schedulerd.errors import BadParameters

LARGEST: Final = 256 * 1024
"""So many bytes of JSON may an artifact, or what an event carries, have."""

_KEY: Final = re.compile(r"[a-z0-9-]{1,255}")


class ArtifactKind(StrEnum):
    """What an artifact is."""

    MARKDOWN = "markdown"
    TABLE = "table"
    LINK = "link"
    IMAGE = "image"
    PROGRESS = "progress"


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """Something that a run made for people to see. `task` is the number of the task run that made it."""

    id: UUID
    kind: ArtifactKind
    at: datetime
    data: Any
    key: str = ""
    description: str = ""
    task: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptArtifact:
    """An artifact as it is kept, with when it was made and last changed."""

    artifact: Artifact
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened, as a run tells it: to which thing, with which details and which other things."""

    id: UUID
    name: str
    at: datetime
    resource: Mapping[str, Any]
    payload: Mapping[str, Any] = field(default_factory=dict)
    related: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptEvent:
    """An event as it is kept, with the run that told it."""

    event: Event
    run: RunKey
    run_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """Which events to list, the newest first. `name` may end with `*`."""

    name: str | None = None
    run: RunKey | None = None
    since: datetime | None = None
    limit: int = 50


def check_key(key: object) -> str:
    """The key of an artifact, empty where it has none. Raises `BadParameters`."""
    if key is None:
        return ""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise BadParameters(
            f"{key!r} cannot be the key of an artifact: it is lower-case letters, digits and `-`, at most 255"
        )
    return key


def check_size(what: str, value: Any) -> None:
    """Raise `BadParameters` for what is not JSON, or too large."""
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadParameters(f"{what} is not JSON: {error}") from error
    if size > LARGEST:
        raise BadParameters(
            f"{what} has {size:,} bytes of JSON, more than {LARGEST:,}",
            mend="write it into a file, and make a link to that",
        )
