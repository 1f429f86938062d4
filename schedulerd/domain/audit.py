"""Who changed what, when and from where."""

from collections.abc import Iterator, Mapping
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
class Difference:
    """A field that a change made another: what it was and is; nothing and null are one."""

    field: str
    before: Any
    after: Any


def differences(change: Change) -> tuple[Difference, ...]:
    """The fields that are not what they were, those within objects by their paths: `parameters.region`."""
    return tuple(_differences("", dict(change.before or {}), dict(change.after or {})))


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            field = f"{path}.{name}" if path else str(name)
            yield from _differences(field, before.get(name), after.get(name))
    elif before != after:
        yield Difference(field=path, before=before, after=after)


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
