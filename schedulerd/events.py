"""Events, under Prefect's name: `emit_event("rows.loaded", {"id": "warehouse"}, payload={"rows": 3})`."""

from schedulerd.authoring.events import Event, emit_event

__all__ = ["Event", "emit_event"]
