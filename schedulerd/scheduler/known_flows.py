"""The flows as they were last put in force: what a run needs to know of its own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schedulerd.domain.flows import Flow, FlowKind
from schedulerd.domain.ids import FlowKey
from schedulerd.errors import NotFound
from schedulerd.store.database import Database

_MOST_KEPT: Final = 1_024


class KnownFlows(Mapping[FlowKey, Flow]):
    """Those of flow files are held. Of commands there may be as many as there are schedules: each is read when it is asked
    for, and kept until commands are put in force again. Asking for one may raise `StoreUnavailable`.
    """

    def __init__(self, database: Database) -> None:
        self._database: Final = database
        self._of_files: Mapping[FlowKey, Flow] = {}
        self._commands: dict[FlowKey, Flow] = {}

    def know(self, of_files: Iterable[Flow]) -> None:
        """These are the flows of flow files from now on; commands may be others."""
        self._of_files = {flow.key: flow for flow in of_files}
        self._commands.clear()

    def __getitem__(self, key: FlowKey) -> Flow:
        held = self._of_files.get(key) or self._commands.get(key)
        if held is not None:
            return held
        with self._database.read() as tx:
            try:
                found = tx.flows.by_key(key)
            except NotFound as error:
                raise KeyError(key) from error
        if found.definition.kind is FlowKind.COMMAND:
            if len(self._commands) >= _MOST_KEPT:
                self._commands.pop(next(iter(self._commands)))
            self._commands[key] = found
        return found

    def forget_commands(self) -> None:
        """They may be others from now on."""
        self._commands.clear()

    def __iter__(self) -> Iterator[FlowKey]:
        with self._database.read() as tx:
            return iter([flow.key for flow in tx.flows.all(removed=True)])

    def __len__(self) -> int:
        return sum(1 for _ in self)
