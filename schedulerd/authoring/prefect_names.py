"""Prefect's names and ours: one list, for the page of names and for what is said where somebody imports one that is not
there. Loaded only then.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAME = "same"
DIFFERS = "differs"
ABSENT = "not there"
LATER = "not there yet"


class Name:
    """One of Prefect's names: of which generation, where it has it, where we do, whether that is the same, and what is to
    be known of it: how it differs, or what to use instead. `rank` is its place among those that people use most.
    """

    __slots__ = ("generation", "note", "ours", "prefect", "rank", "status")

    def __init__(self, generation: int, rank: int, prefect: str, status: str, note: str, ours: str) -> None:
        self.generation = generation
        self.rank = rank
        self.prefect = prefect
        self.status = status
        self.note = note
        self.ours = ours

    @property
    def is_there(self) -> bool:
        """Can it be imported, or asked of what can?"""
        try:
            found(self.ours)
        except (ImportError, AttributeError):
            return False
        return True


def same(rank: int, prefect: str, note: str = "", *, ours: str = "") -> tuple[int, str, str, str, str]:
    """It means the same here."""
    return rank, prefect, SAME, note, ours


def differs(rank: int, prefect: str, how: str, *, ours: str = "") -> tuple[int, str, str, str, str]:
    """It is there, and not quite the same."""
    return rank, prefect, DIFFERS, how, ours


def absent(rank: int, prefect: str, instead: str) -> tuple[int, str, str, str, str]:
    """It is not there, and what to use instead."""
    return rank, prefect, ABSENT, instead, ""


def later(rank: int, prefect: str, instead: str) -> tuple[int, str, str, str, str]:
    """It is to come, and what to use until then."""
    return rank, prefect, LATER, instead, ""


def names() -> Iterator[Name]:
    """All of them, the newer generation first, by rank."""
    from schedulerd.authoring.prefect_names_1 import NAMES as OF_PREFECT_1
    from schedulerd.authoring.prefect_names_3 import NAMES as OF_PREFECT_3

    for generation, rows in ((3, OF_PREFECT_3), (1, OF_PREFECT_1)):
        for rank, prefect, status, note, ours in rows:
            yield Name(generation, rank, prefect, status, note, ours or _ours(prefect))


def _ours(prefect: str) -> str:
    return prefect.replace("prefect", "schedulerd", 1)


def found(path: str) -> object:
    """What stands at a dotted path. Raises `ImportError` and `AttributeError`."""
    module, *rest = path.split(".")
    value: object = import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        try:
            value = getattr(value, part)
        except (AttributeError, ImportError):
            value = import_module(module)
    return value


def not_there(module: str, name: str, *, has: Sequence[str] = ()) -> Exception:
    """What to raise where a module is asked for a name that it has not: an `ImportError` that says what to use instead
    where the name is Prefect's, else an `AttributeError`."""
    note = None if name.startswith("__") else _note(f"{module}.{name}")
    if note is not None:
        return ImportError(f"{module} has no {name}: {note}", name=module)
    known = f"; it has {', '.join(has)}" if has else ""
    return AttributeError(f"{module} has no {name}{known}")


def module_not_there(path: str) -> ModuleNotFoundError | None:
    """What to raise where a module of Prefect's is imported that is not there; None for one that nobody has."""
    inside = [one for one in names() if _is_missing(one) and one.ours.startswith(f"{path}.")]
    note = _note(path)
    if note is None and not inside:
        return None
    said = note or "; ".join(
        dict.fromkeys(f"{one.ours.removeprefix(f'{path}.')}: {one.note}" for one in inside)
    )
    return ModuleNotFoundError(f"there is no {path} (of Prefect's). {said}", name=path)


def _note(ours: str) -> str | None:
    return next((one.note for one in names() if one.ours == ours and _is_missing(one)), None)


def _is_missing(name: Name) -> bool:
    return name.status in (ABSENT, LATER)
