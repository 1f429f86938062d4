"""The page of Prefect's names, from the list that the program itself goes by."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from schedulerd.authoring.prefect_names import ABSENT, LATER, SAME, Name, names

_GENERATIONS: Final = {
    3: "The function style: Prefect 2 and 3",
    1: "The graph style: Prefect 1",
}


def names_page() -> str:
    """Every name with its rank, where it is here, and how it stands."""
    parts = [
        "# Names of Prefect, and ours",
        "A flow file that was written for Prefect comes over with its imports changed: `prefect` becomes `schedulerd`. "
        "The names are listed by how many public repositories use them. A name that is *not there* raises an "
        "`ImportError` that says what to use instead, and that is what stands here.",
    ]
    for generation, title in _GENERATIONS.items():
        found = [one for one in names() if one.generation == generation]
        parts += [f"## {title}", _counted(found), _table(found)]
    return "\n\n".join(parts)


def _counted(found: Iterable[Name]) -> str:
    counts = Counter(_status(one) for one in found)
    return ", ".join(f"{count} {status}" for status, count in counts.items()) + "."


def _table(found: Iterable[Name]) -> str:
    lines = ["| # | Prefect | here | | |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {one.rank} | `{one.prefect}` | {_ours(one)} | {_status(one)} | {_note(one)} |" for one in found
    ]
    return "\n".join(lines)


def _status(name: Name) -> str:
    """As it is now: what was to come may have come."""
    return SAME if name.status == LATER and name.is_there else name.status


def _ours(name: Name) -> str:
    return "" if _status(name) in (ABSENT, LATER) else f"`{name.ours}`"


def _note(name: Name) -> str:
    return "" if name.status == LATER and name.is_there else name.note.replace("|", "\\|")
