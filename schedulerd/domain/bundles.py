"""The schedules of one file, packed away: there may be very many of them, and nearly always nobody looks at them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schedulerd.domain.packing import packed, unpacked
from schedulerd.domain.schedules import ScheduleDefinition


class Bundle:
    """Definitions in their order, and their `names`. Iterating unpacks them: equal ones, not the same.

    Two are told apart by identity: one that was packed anew may say something else. A thousand schedules take some
    15 KB and their names, where the values themselves take a megabyte that every garbage collection walks through.
    """

    __slots__ = ("_count", "_packed", "names")

    def __init__(self, definitions: Iterable[ScheduleDefinition]) -> None:
        held = tuple(definitions)
        self._count: Final = len(held)
        self.names: Final = frozenset(one.name for one in held)
        self._packed: Final = packed(held)

    def __iter__(self) -> Iterator[ScheduleDefinition]:
        held: tuple[ScheduleDefinition, ...] = unpacked(self._packed)
        return iter(held)

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """How many bytes it takes, without the names."""
        return len(self._packed)

    def named(self, name: str) -> ScheduleDefinition:
        """The one of this name, which is among `names`."""
        return next(one for one in self if one.name == name)


NO_SCHEDULES: Final = Bundle(())


def file_of(definition: ScheduleDefinition) -> str:
    """The file that a definition comes from."""
    path, _, line = definition.origin.rpartition(":")
    return path if path and line.isdigit() else definition.origin


def bundled(definitions: Iterable[ScheduleDefinition]) -> Mapping[str, Bundle]:
    """A bundle for each file that they come from, in the order in which the files come first."""
    by_file: dict[str, list[ScheduleDefinition]] = {}
    for definition in definitions:
        by_file.setdefault(file_of(definition), []).append(definition)
    return {file: Bundle(held) for file, held in by_file.items()}
