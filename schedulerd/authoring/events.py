"""Events: a run tells programs that something happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from schedulerd.authoring.loading import is_loading
from schedulerd.authoring.telling import tell
from schedulerd.clock import microseconds, moment
from schedulerd.domain.told import check_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

_IDS: Final = ("prefect.resource.id", "schedulerd.resource.id", "id")
_LONGEST: Final = 255


class Event:
    """An event that was told: `id`, `event`, `resource`, `payload`, `related`, `occurred`."""

    def __init__(
        self,
        event: str,
        resource: Mapping[str, Any],
        payload: Mapping[str, Any],
        related: Sequence[Mapping[str, Any]],
        *,
        id: UUID,  # noqa: A002  Prefect's name
        occurred: datetime,
    ) -> None:
        self.event = event
        self.resource = dict(resource)
        self.payload = dict(payload)
        self.related = [dict(one) for one in related]
        self.id = id
        self.occurred = occurred

    def __repr__(self) -> str:
        return f"Event({self.event!r}, id={self.id})"


def emit_event(
    event: str,
    resource: Mapping[str, Any],
    occurred: datetime | None = None,
    related: Sequence[Mapping[str, Any]] | None = None,
    payload: Mapping[str, Any] | None = None,
    id: UUID | None = None,  # noqa: A002  Prefect's name
    **more: Any,
) -> Event:
    """Record that something happened: `emit_event("rows.loaded", {"id": "warehouse"}, payload={"rows": 3})`.

    `resource` is what it happened to, by its `id` (or Prefect's `prefect.resource.id`). Raises `ValueError` for what is
    no event.
    """
    _check(event, resource, related or ())
    if occurred is not None and occurred.utcoffset() is None:
        raise ValueError("occurred needs a time zone: datetime.now(timezone.utc), say")
    check_size("the event", [dict(resource), payload, [dict(one) for one in related or ()]])
    made = Event(
        event,
        resource,
        payload or {},
        related or (),
        id=id or uuid4(),
        occurred=moment(microseconds()) if occurred is None else occurred,
    )
    if not is_loading():
        tell(
            "event",
            f"event {event}",
            id=str(made.id),
            at=round(made.occurred.timestamp() * 1_000_000),
            w=event,
            of=made.resource,
            p=made.payload,
            up=made.related,
        )
    return made


def _check(event: object, resource: object, related: Sequence[object]) -> None:
    if not isinstance(event, str) or not event.strip() or len(event) > _LONGEST:
        raise ValueError(f"an event needs a name of 1 to {_LONGEST} characters, not {event!r:.100}")
    for one in (resource, *related):
        if not isinstance(one, dict) or not any(isinstance(one.get(name), str) for name in _IDS):
            raise ValueError(f"{one!r:.100} needs an id: {{'id': 'warehouse'}}, or 'prefect.resource.id'")
