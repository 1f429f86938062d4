"""The web process as a program: it is given the readers of definitions, which the web itself does not know."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.operations.definition_readers import Places
from schedulerd.web.program import serve


def places_of(told: Mapping[str, Any]) -> Places:
    """Where definitions are, by what the daemon tells."""
    schedules = [Path(folder) for folder in told["schedules"]]
    return Places(
        reader=DefinitionReader(timezone=told["timezone"], pools=told["pools"]),
        schedules=schedules[0] if schedules else None,
        flows=tuple(Path(folder) for folder in told["flows"]),
        pools=tuple(told["pools"]),
        may_upload=told["allow_upload"],
        timezone=told["timezone"],
        inspect_timeout=timedelta(seconds=told["inspect_seconds"]),
    )


if __name__ == "__main__":
    serve(places_of)
