"""The surroundings of runs for people: those that something was said of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from schedulerd.cli.output import Shape
from schedulerd.domain.durations import duration_text
from schedulerd.domain.sizes import size_text

_UNLIMITED: Final = "unlimited"


def surroundings_facts(shape: Shape) -> list[tuple[str, str]]:
    """What the page of a flow, or of a schedule with a command, says of the surroundings of its runs."""
    said = shape.get("surroundings")
    if said is None:
        return []
    return [
        ("user", said["user"] or ""),
        ("environment", ", ".join(said["environment"])),
        ("env_file", said["env_file"] or ""),
        ("directory", said["directory"] or ""),
        ("umask", said["umask"] or ""),
        ("children", "may be left behind" if said["leave_children"] else ""),
        ("nice", "" if said["nice"] is None else str(said["nice"])),
        ("memory", "" if said["memory_bytes"] is None else _amount(size_text, said["memory_bytes"])),
        ("cpu_time", _duration(said["cpu_time_ms"])),
        ("open_files", "" if said["open_files"] is None else _amount(str, said["open_files"])),
        ("timeout", _duration(shape["timeout_ms"])),
    ]


def _duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return duration_text(timedelta(milliseconds=milliseconds)) if milliseconds else _UNLIMITED


def _amount(text: Callable[[int], str], amount: int) -> str:
    return text(amount) if amount else _UNLIMITED
