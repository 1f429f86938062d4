"""Into how many parts what a task returns can be unpacked while its flow is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from schedulerd.authoring.tasks import Task


def part_count(task: Task) -> int | None:
    """What `nout` says, else what the hint of the return value says (`tuple[int, str]`); None where neither does."""
    if task.nout is not None:
        return task.nout
    try:
        hint = get_type_hints(task.fn).get("return")
    except Exception:  # resolving evaluates text of the user's; an unresolved hint says nothing
        return None
    parts = get_args(hint)
    if get_origin(hint) is not tuple or (len(parts) == 2 and parts[1] is Ellipsis):
        return None
    return len(parts)
