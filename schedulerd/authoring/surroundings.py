"""What `@flow` and `Flow` are told of the surroundings of their runs: plain values, as a schedule file has them.

They count for runs under the daemon. Whether they can be had is the daemon's to say.
"""

from __future__ import annotations

from schedulerd.authoring.options import refuse_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from os import PathLike
    from typing import Any, TypedDict

    class Surroundings(TypedDict, total=False):
        """Who a run is, where it works, and how much it may use."""

        user: str | None
        environment: Mapping[str, str] | None
        env_file: str | PathLike[str] | None
        directory: str | PathLike[str] | None
        umask: str | None
        leave_children: bool | None
        nice: int | None
        memory: str | int | None
        cpu_time: timedelta | float | str | None
        open_files: int | str | None


SURROUNDINGS = (
    *("user", "environment", "env_file", "directory", "umask", "leave_children"),
    *("nice", "memory", "cpu_time", "open_files"),
)


def surroundings_said(what: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as JSON has it: paths as text, a duration as seconds. Raises `TypeError` for unknown names."""
    refuse_unknown(what, given, known=SURROUNDINGS)
    return {name: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: Any) -> Any:
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    return dict(value) if hasattr(value, "keys") else value
