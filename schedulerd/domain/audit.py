"""Who changed what, when and from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schedulerd.domain.access import Means


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Something that was done, and what it changed, as far as that can be told. No secret is in it."""

    what: str
    target: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """A change as it is kept."""

    key: int
    at: datetime
    who: str
    means: Means
    address: str
    change: Change


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which entries are wanted: the newest, or those before the entry `before`."""

    since: datetime | None = None
    who: str | None = None
    before: int | None = None
    limit: int = 50
