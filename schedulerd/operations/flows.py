"""What can be asked about flows: which there are, what one is, and what its code was."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from schedulerd.domain.flows import FileError, Flow, FlowDefinition
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.schedules import Schedule
from schedulerd.errors import NotFound
from schedulerd.operations.broken_files import where_it_may_be, why_not_loaded
from schedulerd.store.database import Database
from schedulerd.store.flow_schedules import FlowSchedules
from schedulerd.store.transaction import Transaction

_MOST_LOOKED_AT: Final = 1_000
_MOST_OF_ONE: Final = 50
_MOST_OF_EACH: Final = 3
_NONE: Final = FlowSchedules()


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowDetails:
    """A flow and its schedules, of which there may be very many."""

    flow: Flow
    schedules: FlowSchedules


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowVersion:
    """A version that a flow has or had; `runs` of the newest 1,000 had it, the last one recorded at `last_run_at`."""

    hash: str
    in_force: bool
    runs: int
    last_run_at: datetime | None


class Flows:
    """Flows, as somebody at an edge sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def get(self, name: str) -> FlowDetails:
        """The flow of this name, in force or removed, with its first 50 schedules.

        Raises `NotFound` with names that come near, and with what is wrong with files that may define it.
        """
        with self._database.read() as tx:
            flow = _named(tx, name)
            found = tx.schedules.of_flows([flow.key], first=_MOST_OF_ONE)
        return FlowDetails(flow=flow, schedules=found.get(flow.key, _NONE))

    def schedules(self, name: str) -> "tuple[Schedule, ...]":
        """All schedules in force of the flow of this name. Raises `NotFound` as `get` does."""
        with self._database.read() as tx:
            return tuple(tx.schedules.all(of=[_named(tx, name).key]))

    def list(self) -> "tuple[FlowDetails, ...]":
        """The flows in force, by name; of their schedules none is read."""
        with self._database.read() as tx:
            flows, found = tx.flows.all(), tx.schedules.of_flows()
        return tuple(FlowDetails(flow=flow, schedules=found.get(flow.key, _NONE)) for flow in flows)

    def definitions(self) -> "tuple[FlowDefinition, ...]":
        """What the flows in force are, by name; for less than all about them."""
        with self._database.read() as tx:
            return tuple(tx.flows.definitions())

    def named(self, names: Collection[str]) -> "tuple[FlowDetails, ...]":
        """Those of these flows that are in force, by name, with the first three schedules of each."""
        with self._database.read() as tx:
            flows = tx.flows.all(named=names)
            found = tx.schedules.of_flows([flow.key for flow in flows], first=_MOST_OF_EACH)
        return tuple(FlowDetails(flow=flow, schedules=found.get(flow.key, _NONE)) for flow in flows)

    def errors(self) -> "tuple[FileError, ...]":
        """The files that cannot be taken as they are."""
        with self._database.read() as tx:
            return tuple(tx.flows.errors())

    def versions(self, name: str) -> "tuple[FlowVersion, ...]":
        """The version in force, then those of the flow's newest 1,000 runs, the last one first. Raises `NotFound`."""
        with self._database.read() as tx:
            flow = tx.flows.get(name)
            runs = tx.runs.list(RunFilter(flows=(name,), limit=_MOST_LOOKED_AT))
        counts = Counter(run.version_hash for run in runs)
        last = {run.version_hash: run.created_at for run in reversed(runs)}
        hashes = dict.fromkeys((flow.version_hash, *(run.version_hash for run in runs)))
        return tuple(
            FlowVersion(
                hash=one, in_force=one == flow.version_hash, runs=counts[one], last_run_at=last.get(one)
            )
            for one in hashes
            if one is not None
        )

    def source(self, version_hash: str) -> str:
        """The code of a version. Raises `NotFound`."""
        with self._database.read() as tx:
            return tx.flows.version_source(version_hash)

    def of_file(self, file: Path, name: str | None) -> str:
        """The name of the flow that this file defines: the only one, or the one that is named. Raises `NotFound`."""
        with self._database.read() as tx:
            here = [flow.definition.name for flow in tx.flows.all() if flow.definition.file == str(file)]
            failure = next((one.error for one in tx.flows.errors() if one.file == str(file)), None)
        broken = f"it cannot be loaded: {why_not_loaded(str(file), failure)}" if failure else ""
        if not here:
            mend = "the daemon finds it in a folder of flows; or run it here and now: add --local"
            raise NotFound("flow of the file", str(file), mend=broken or mend)
        if name is None and len(here) > 1:
            raise NotFound(
                "single flow in the file",
                str(file),
                mend=f"add one: {file}:{here[0]} (it has {', '.join(here)})",
            )
        if name is not None and name not in here:
            raise NotFound(f"flow in {file} named", name, near=here, mend=broken)
        return name or here[0]


def _named(tx: Transaction, name: str) -> Flow:
    try:
        return tx.flows.get(name)
    except NotFound as error:
        mend = where_it_may_be((one.file, one.error) for one in tx.flows.errors())
        raise NotFound(error.kind, name, near=error.near, mend=mend or error.mend) from error
