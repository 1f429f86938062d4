"""What the watched folders are known to say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schedulerd.domain.bundles import Bundle
from schedulerd.domain.definitions import Resolved, Resolver
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, Flow, FlowDefinition, FlowKind
from schedulerd.errors import BadDefinition
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.messages import DefinitionsChanged

_MOST_RESOLVED: Final = 1_000  # schedules that come, in a turn: due times come between
_MOST_TOLD: Final = 9  # of several errors of one file, after the first


class Found:
    """Good and bad of the flow files and of the schedule files.

    `is_new`: some of it is not in force yet. `is_resolving`: of what counts a part has been decided.
    """

    def __init__(self) -> None:
        self._resolver: Final = Resolver()
        self._present: frozenset[str] | None = None
        self._files: dict[str, FileDefinition] = {}
        self._failures: dict[str, Failure] = {}
        self._refused: tuple[BadDefinition, ...] = ()
        self._schedules: Mapping[str, Bundle] | None = None
        self._schedule_errors: tuple[BadDefinition, ...] = ()
        self.is_new = False
        self.is_resolving = False

    def changed(self, change: DefinitionsChanged) -> None:
        """Take note of what the folders hold now."""
        self._refused = change.refused
        kept = {file for file in self._files if _is_withheld(file, change.withheld)}
        self._present = change.flow_files | kept
        for known in (self._files, self._failures):
            for file in set(known) - self._present:
                known.pop(file)
        if change.schedules is not None:
            self._schedules = change.schedules
            self._schedule_errors = change.schedule_errors
        self.is_new = True

    def inspected(self, found: Inspected) -> None:
        """Take note of what a file defines; one that cannot be taken keeps its last good version."""
        if self._present is not None and found.file not in self._present:
            return  # it was removed while it was looked at
        match found.definition:
            case Failure() as failure:
                self._failures[found.file] = failure
            case FileDefinition() as definition:
                self._files[found.file] = definition
                self._failures.pop(found.file, None)
        self.is_new = True

    def remember(self, flows: Iterable[Flow], failures: Mapping[str, Failure]) -> None:
        """Begin with what was known last: flows are in force until their files have been read, and where these are
        broken, beyond that. What was wrong with a file is, until somebody has looked at it."""
        self._files = {file.file: file for file in _files_of(flows)}
        self._failures = dict(failures)

    @property
    def is_read(self) -> bool:
        """Have both folders been looked at?"""
        return self._schedules is not None and self._present is not None

    @property
    def files(self) -> Mapping[str, FileDefinition]:
        """The good ones among the flow files, and the last good versions of bad ones, each by its path."""
        return self._files

    def resolve_some(self) -> Resolved | None:
        """Decide what counts; None while there is more to decide than is to be done at once. Both folders have been read."""
        assert self._schedules is not None
        resolved = self._resolver.resolve_some(self._files.values(), self._schedules, most=_MOST_RESOLVED)
        self.is_resolving = resolved is None
        return resolved

    def errors(self, resolved: Resolved) -> dict[str, Failure]:
        """What is wrong, a failure for each file; of several the first, with how many more there are."""
        by_file: dict[str, list[Failure]] = {}
        for error in (*self._refused, *self._schedule_errors):
            by_file.setdefault(error.file, []).append(_failure(error))
        for file, failures in resolved.errors.items():
            by_file.setdefault(file, []).extend(failures)
        for file, failure in self._failures.items():
            by_file[file] = [failure]
        return {file: _first(failures) for file, failures in by_file.items()}


def _is_withheld(file: str, withheld: Iterable[str]) -> bool:
    return any(file == path or file.startswith(f"{path}/") for path in withheld)


def _files_of(flows: Iterable[Flow]) -> list[FileDefinition]:
    """The flow files as they were last in force; their source is in the database already."""
    by_file: dict[tuple[str, str], list[FlowDefinition]] = {}
    for flow in flows:
        if not flow.removed and flow.definition.kind is FlowKind.PYTHON and flow.version_hash is not None:
            by_file.setdefault((flow.definition.file, flow.version_hash), []).append(flow.definition)
    return [
        FileDefinition(file=file, version=version, source="", flows=tuple(held))
        for (file, version), held in by_file.items()
    ]


def _failure(error: BadDefinition) -> Failure:
    mend = f"; {error.mend}" if error.mend else ""
    return Failure(type="BadDefinition", message=error.reason + mend, file=error.file, line=error.line)


def _first(failures: Sequence[Failure]) -> Failure:
    first, *rest = failures
    if not rest:
        return first
    told = [f"line {one.line}: {one.message}" for one in rest[:_MOST_TOLD]]
    if len(rest) > _MOST_TOLD:
        told.append(f"and {len(rest) - _MOST_TOLD} more")
    more = "; ".join(told)
    return Failure(
        type=first.type, message=f"{first.message}; {more}", file=first.file, line=first.line, task=first.task
    )
