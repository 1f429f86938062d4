"""The flows that files and command schedules define, the versions of their code, and the files with errors."""

from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FileError, Flow, FlowDefinition, FlowKind, LastRun
from schedulerd.domain.hooks import hooks_text
from schedulerd.domain.ids import FlowKey, VersionKey
from schedulerd.domain.near import near
from schedulerd.domain.states import RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.aligning import align_with_flow
from schedulerd.store.documents import failure_json, read_failure
from schedulerd.store.tables import AnyRow, AnySelect, flow_files, flows, runs, versions
from schedulerd.store.upserts import Upsert
from schedulerd.store.versions import Versions

_PUT_FILE: Final = Upsert(flow_files)
_PUT_ERROR: Final = Upsert(flow_files, first=["version_id"])

_NAMED: Final = select(flows).where(flows.c.name.in_(bindparam("names", expanding=True)))

_FLOWS: Final[AnySelect] = select(
    flows,
    versions.c.hash,
    flow_files.c.error,
    runs.c.state.label("last_state"),
    runs.c.ended_at.label("last_ended_at"),
).select_from(
    flows.outerjoin(versions, versions.c.id == flows.c.version_id)
    .outerjoin(flow_files, flow_files.c.file == flows.c.file)
    .outerjoin(runs, and_(runs.c.flow_id == flows.c.id, runs.c.number == flows.c.last_number))
)


_MOST_NAMED: Final = 1_000
"""Where more are asked for, all are told."""


class Flows:
    """What may be run. Nothing here is ever deleted: what is gone is marked removed, and keeps its history."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection
        self._versions: Final = Versions(connection)

    def put_file(self, file: FileDefinition, *, now: datetime) -> list[FlowKey]:
        """Put the file's flows in force, in the file's order; flows that it has no longer are removed.

        Raises `Conflict` when another file defines a flow of the same name with other code: the first keeps it.
        The same code at a new path is a move.
        """
        version = self._versions.put(file.version, file.source, now=now)
        row = {"file": file.file, "version_id": version, "error": None, "seen_at": now}
        _PUT_FILE(self._connection, [row])
        keys = [self._put(flow, version, now=now) for flow in file.flows]
        self._mark_removed(now, flows.c.file == file.file, flows.c.id.not_in(keys))
        return keys

    def put_command(self, definition: FlowDefinition, *, now: datetime) -> FlowKey:
        """Put a command in force; its text is its version. Raises `Conflict` when a file's flow has the name."""
        return self.put_commands([definition], now=now)[definition.name]

    def put_commands(self, definitions: Sequence[FlowDefinition], *, now: datetime) -> dict[str, FlowKey]:
        """Put commands in force as `put_command` does, each name once; many of them in few statements. The key of each."""
        texts = {_digest(one.command): one.command for one in definitions}
        keys = self._versions.put_all(texts, now=now)
        given = [(one, keys[_digest(one.command)]) for one in definitions]
        names = [one.name for one in definitions]
        known = {row.name: row for row in self._connection.execute(_NAMED, {"names": names})}
        for definition, version in given:
            if (row := known.get(definition.name)) is not None:
                self._put_again(definition, version, row, now=now)
        fresh = [_new_row(*one, now=now) for one in given if one[0].name not in known]
        if not fresh:
            return {name: FlowKey(row.id) for name, row in known.items()}
        self._connection.execute(insert(flows), fresh)
        return self.keys(names)

    def set_file_error(self, file: str, error: Failure, *, now: datetime) -> None:
        """Note that the file cannot be taken as it is; its flows stay in force as they were."""
        row = {"file": file, "version_id": None, "error": failure_json(error), "seen_at": now}
        _PUT_ERROR(self._connection, [row])

    def remove_file(self, file: str, *, now: datetime) -> None:
        """Remove the flows of a file that is gone, and forget what was wrong with it."""
        self._mark_removed(now, flows.c.file == file, flows.c.kind == FlowKind.PYTHON.value)
        self._connection.execute(delete(flow_files).where(flow_files.c.file == file))

    def remove_command(self, name: str, *, now: datetime) -> None:
        """Remove a command; a flow of a file that has this name stays."""
        self.remove_commands([name], now=now)

    def remove_commands(self, names: Collection[str], *, now: datetime) -> None:
        """Remove those of these that are commands; flows of files that have such a name stay."""
        self._mark_removed(now, flows.c.name.in_(names), flows.c.kind == FlowKind.COMMAND.value)

    def all(
        self,
        *,
        removed: bool = False,
        named: Collection[str] | None = None,
        kind: FlowKind | None = None,
    ) -> list[Flow]:
        """The flows in force by name, or with `removed` also those that are no more; of those that are `named`, or of a kind,
        where some are."""
        query = _FLOWS if removed else _FLOWS.where(flows.c.removed_at.is_(None))
        if named is not None:
            query = query.where(flows.c.name.in_(named))
        if kind is not None:
            query = query.where(flows.c.kind == kind.value)
        return [_flow(row) for row in self._connection.execute(query.order_by(flows.c.name))]

    def get(self, name: str) -> Flow:
        """The flow of this name, in force or removed. Raises `NotFound` with the names that come near."""
        row = self._connection.execute(_FLOWS.where(flows.c.name == name)).one_or_none()
        if row is None:
            names = self.names()
            # A file system may compose the letters of a name otherwise than a keyboard does.
            alike = [one for one in names if normalize("NFC", one) == normalize("NFC", name)]
            if len(alike) != 1:
                raise NotFound("flow", name, near=near(name, names))
            return self.get(alike[0])
        return _flow(row)

    def by_key(self, key: FlowKey) -> Flow:
        """The flow of this key, in force or removed. Raises `NotFound`."""
        row = self._connection.execute(_FLOWS.where(flows.c.id == key)).one_or_none()
        if row is None:
            raise NotFound("flow", str(key))
        return _flow(row)

    def of_file(self, file: str) -> list[FlowDefinition]:
        """What the flows are, or were last, that a file defines."""
        return list(self._connection.scalars(select(flows.c.definition).where(flows.c.file == file)))

    def definitions(self) -> list[FlowDefinition]:
        """What the flows in force are, by name."""
        query = select(flows.c.definition).where(flows.c.removed_at.is_(None)).order_by(flows.c.name)
        return list(self._connection.scalars(query))

    def names(self, kind: FlowKind | None = None) -> list[str]:
        """The names of the flows in force, sorted; of those of a kind, where one is said."""
        query = select(flows.c.name).where(flows.c.removed_at.is_(None)).order_by(flows.c.name)
        if kind is not None:
            query = query.where(flows.c.kind == kind.value)
        return list(self._connection.scalars(query))

    def named(self, keys: Collection[FlowKey] | None = None) -> dict[FlowKey, str]:
        """The name of each flow in force, or, of few, at least of each of these that is."""
        query = select(flows.c.id, flows.c.name).where(flows.c.removed_at.is_(None))
        if keys is not None and len(keys) <= _MOST_NAMED:
            query = query.where(flows.c.id.in_(keys))
        return {FlowKey(row.id): row.name for row in self._connection.execute(query)}

    def keys(self, names: Collection[str]) -> dict[str, FlowKey]:
        """The key of each of these flows, in force or removed. Raises `NotFound` with the names that come near."""
        query = select(flows.c.name, flows.c.id).where(flows.c.name.in_(names))
        found = {row.name: FlowKey(row.id) for row in self._connection.execute(query)}
        for name in names:
            if name not in found:
                raise NotFound("flow", name, near=near(name, self.names()))
        return {name: found[name] for name in names}

    def errors(self) -> list[FileError]:
        """The files that cannot be taken as they are, by path."""
        query = (
            select(flow_files, versions.c.hash)
            .select_from(flow_files.outerjoin(versions))
            .where(flow_files.c.error.is_not(None))
            .order_by(flow_files.c.file)
        )
        return [_file_error(row) for row in self._connection.execute(query)]

    def version_source(self, version_hash: str) -> str:
        """The code of a version: a file's text, or a command. Raises `NotFound`."""
        return self._versions.source(version_hash)

    def _put(self, definition: FlowDefinition, version: VersionKey, *, now: datetime) -> FlowKey:
        known = self._connection.execute(_NAMED, {"names": [definition.name]}).one_or_none()
        if known is None:
            row = insert(flows).values(_new_row(definition, version, now=now)).returning(flows.c.id)
            return FlowKey(self._connection.execute(row).scalar_one())
        self._put_again(definition, version, known, now=now)
        return FlowKey(known.id)

    def _put_again(
        self, definition: FlowDefinition, version: VersionKey, known: AnyRow, *, now: datetime
    ) -> None:
        _require_same_holder(known, definition, version)
        values = _values(definition, version)
        if any(getattr(known, name) != value for name, value in values.items()):
            self._connection.execute(
                update(flows).where(flows.c.id == known.id).values(**values, changed_at=now)
            )
        if (known.pool, known.priority) != (definition.pool, definition.priority):
            align_with_flow(self._connection, known.id)

    def _mark_removed(self, now: datetime, *where: Any) -> None:
        self._connection.execute(
            update(flows).where(flows.c.removed_at.is_(None), *where).values(removed_at=now, changed_at=now)
        )


def _digest(command: str) -> str:
    return sha256(command.encode("utf-8", "surrogatepass")).hexdigest()


def _values(definition: FlowDefinition, version: VersionKey) -> dict[str, Any]:
    return {
        "kind": definition.kind.value,
        "file": definition.file,
        "definition": definition,
        "version_id": version,
        "removed_at": None,
        "pool": definition.pool,
        "priority": definition.priority,
        "max_running": definition.max_running,
        "hooks": hooks_text(definition.hooks),
    }


def _new_row(definition: FlowDefinition, version: VersionKey, *, now: datetime) -> dict[str, Any]:
    return _values(definition, version) | {"name": definition.name, "first_seen": now, "changed_at": now}


def _require_same_holder(known: AnyRow, definition: FlowDefinition, version: VersionKey) -> None:
    if known.removed_at is not None:
        return
    moved = known.version_id == version and known.kind == definition.kind
    of_this_file = known.file == definition.file and known.kind == definition.kind
    # A command is told by its name alone: the schedule file that holds it may be another one today.
    command = known.kind == definition.kind == FlowKind.COMMAND
    if not (moved or of_this_file or command):
        raise Conflict(f"a flow named {definition.name!r} is already defined by {known.file}")


def _flow(row: AnyRow) -> Flow:
    last = None
    if row.last_state is not None:
        last = LastRun(row.last_number, RunState(row.last_state), row.last_ended_at)
    return Flow(
        key=FlowKey(row.id),
        definition=row.definition,
        version=row.version_id,
        version_hash=row.hash,
        first_seen=row.first_seen,
        changed_at=row.changed_at,
        removed=row.removed_at is not None,
        error=read_failure(row.error),
        last_run=last,
    )


def _file_error(row: AnyRow) -> FileError:
    error = read_failure(row.error)
    assert error is not None  # the query asks for those that have one
    return FileError(file=row.file, error=error, seen_at=row.seen_at, version_hash=row.hash)
