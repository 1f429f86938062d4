"""Which schedules the database has, by the file that they are from, and the way from there to what the files say now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from schedulerd.domain.bundles import Bundle
from schedulerd.domain.flows import FlowDefinition, FlowKind
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.store.transaction import Transaction

MOST_AT_ONCE: Final = 200
"""So many schedules are put in force in a transaction: due times come between."""

_BEFORE: Final = ""
"""In place of a file: what the database had at the start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Schedules to put in force together, and the files of which these are the last."""

    definitions: Sequence[ScheduleDefinition]
    ends: Mapping[str, Bundle]

    @property
    def names(self) -> frozenset[str]:
        """What they are called."""
        return frozenset(one.name for one in self.definitions)


NOTHING: Final = Part(definitions=(), ends={})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The files whose schedules are to be put in force, and their names, of which some are `fresh`; the files that are no more,
    and the names that nobody has any longer.
    """

    files: Mapping[str, Bundle]
    names: frozenset[str]
    fresh: frozenset[str]
    lost: frozenset[str]
    gone: frozenset[str]

    def parts(self, first: Sequence[ScheduleDefinition] = ()) -> Iterator[Part]:
        """The schedules of the files in parts, of which there is at least one; unpacked as they are asked for. Those that come
        `first` are all in the first one.
        """
        held, early = list(first), {one.name for one in first}
        ends: dict[str, Bundle] = {}
        for file, bundle in self.files.items():
            for definition in bundle:
                if definition.name in early:
                    continue
                if len(held) >= MOST_AT_ONCE:
                    yield Part(definitions=held, ends=ends)
                    held, ends = [], {}
                held.append(definition)
            ends[file] = bundle
        yield Part(definitions=held, ends=ends)

    def belonging(
        self, before: Iterable[FlowDefinition], now: Iterable[FlowDefinition]
    ) -> Iterator[ScheduleDefinition]:
        """Those that are in force already, and run a flow that is another now, or may have run one that is no more."""
        known, there = ({flow.name: flow for flow in flows} for flows in (before, now))
        others = {name for name, flow in there.items() if known.get(name) != flow}
        is_one_gone = not known.keys() <= there.keys()
        if not others and not is_one_gone:
            return
        for bundle in self.files.values():
            if not bundle.names <= self.fresh:
                for one in bundle:
                    if one.name not in self.fresh and (is_one_gone or one.flow in others):
                        yield one


class Standing:
    """What is known of the database. A file whose schedules are being put in force has `names` of them, but no bundle yet."""

    def __init__(self, names: frozenset[str]) -> None:
        self._bundles: dict[str, Bundle] = {}
        self._names: dict[str, frozenset[str]] = {_BEFORE: names}

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """What the database has, of which no file is known."""
        return cls(frozenset(tx.schedules.names()) | frozenset(tx.flows.names(FlowKind.COMMAND)))

    def change_to(self, wanted: Mapping[str, Bundle]) -> Change:
        """What is to be done so that these are in force and no others."""
        files = {file: bundle for file, bundle in wanted.items() if self._bundles.get(file) is not bundle}
        lost = frozenset(self._names.keys() - wanted.keys())
        had = frozenset[str]().union(*(self._names.get(file, ()) for file in (*lost, *files)))
        names = frozenset[str]().union(*(bundle.names for bundle in files.values()))
        return Change(files=files, names=names, fresh=names - had, lost=lost, gone=had - names)

    def begin(self, change: Change) -> None:
        """What is gone is gone from the database."""
        for file in (*change.lost, *change.files):
            self._bundles.pop(file, None)
            self._names.pop(file, None)
        self._names |= {file: bundle.names for file, bundle in change.files.items()}

    def done(self, part: Part) -> None:
        """A part is in the database."""
        self._bundles |= part.ends

    def has(self, name: str) -> bool:
        """Is it among the schedules that are in force, or are being put?"""
        return any(name in names for names in self._names.values())
