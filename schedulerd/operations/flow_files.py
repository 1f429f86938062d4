"""Flow files that are put into the watched folder from outside: looked into first, in a process of its own, and written whole."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.audit import Change
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition
from schedulerd.domain.own_files import etag_of
from schedulerd.errors import BadDefinition, NotFound, NotPermitted
from schedulerd.new_files import unlisted_file
from schedulerd.operations.audit import keep_saved
from schedulerd.operations.broken_files import reason_of
from schedulerd.operations.daemon import Daemon
from schedulerd.operations.definition_notes import told_file
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.inspecting import inspect_file
from schedulerd.operations.own_folder import OwnFolder
from schedulerd.sentences import said
from schedulerd.store.database import Database

MAX_FILE_BYTES: Final = 1 << 19
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}\.py")
_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 15.0


class BadFlowFile(BadDefinition):
    """A flow file cannot be loaded, or defines nothing: `failure` says where."""

    def __init__(self, failure: Failure, *, file: Path) -> None:
        super().__init__(reason_of(failure), file=file, line=failure.line)
        self.failure = failure


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowFile:
    """The text of a flow file; `etag` tells it from another, and is empty for one that is not there yet."""

    name: str
    text: str
    etag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded:
    """The flows of a file that was written; `waits_for` is why they are not in force yet, empty when they are."""

    name: str
    flows: tuple[str, ...]
    waits_for: str


class FlowFiles:
    """The files directly in the first folder of flows. For admins: what is in them runs as the daemon's user."""

    def __init__(self, database: Database, clock: Clock, daemon: Daemon, places: Places | None) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._daemon: Final = daemon
        self._places: Final = places

    @property
    def is_open(self) -> bool:
        """May flow files come in from outside at all?"""
        return self._places is not None and self._places.may_upload and bool(self._places.flows)

    def of_flow(self, flow: str, *, by: Principal) -> FlowFile:
        """The file of a flow, where it is in the folder. Raises `NotFound`, `NotPermitted`."""
        folder, _ = self._open(by)
        with self._database.read() as tx:
            path = Path(tx.flows.get(flow).definition.file)
        content = folder.read(path.name) if path == folder.path(_checked(path.name)) else None
        if content is None:
            raise NotFound("file of flows in the folder", str(path))
        return FlowFile(name=path.name, text=content.decode("utf-8", "replace"), etag=etag_of(content))

    def save(self, name: str, text: str, *, etag: str, by: Principal) -> Uploaded:
        """Write the file, new or (with the `etag` that it was seen as) in the place of what it was.

        Raises `BadFlowFile` for what cannot be loaded, `BadDefinition` for a name that is none, `Conflict` where there is one
        of its name, `Stale`, `NotPermitted`. Then nothing was written.
        """
        folder, places = self._open(by)
        path = folder.path(_checked(name))
        content = text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")
        if len(content) > MAX_FILE_BYTES:
            raise BadDefinition(
                said("has more than {max_file_bytes:,} bytes", max_file_bytes=MAX_FILE_BYTES), file=path
            )
        found = _look_into(path, content, places)
        was = folder.read(name) if etag else None
        if etag:
            folder.replace(name, content, etag=etag)
        else:
            folder.create(name, content)
        change = Change(what="flows.file", target=name, before=told_file(was), after=told_file(content))
        keep_saved(self._database, by, change, at=self._clock.now())
        flows = tuple(flow.name for flow in found.flows)
        return Uploaded(name=name, flows=flows, waits_for=self._wait(path, flows, content.decode()))

    def _open(self, by: Principal) -> tuple[OwnFolder, Places]:
        if not by.may(Role.ADMIN):
            raise NotPermitted(
                said("this needs the role admin; {name} is {value}", name=by.name, value=by.role.value)
            )
        if self._places is None or not self.is_open:
            raise NotPermitted(
                said("flow files do not come in this way here"),
                mend=said("`allow_upload` of `[web]` in the settings says so"),
            )
        return OwnFolder(self._places.flows[0], ".py"), self._places

    def _wait(self, path: Path, flows: tuple[str, ...], text: str) -> str:
        pause, deadline = Event(), self._clock.monotonic() + _PATIENCE_SECONDS
        while missing := [name for name in flows if not self._stands(name, path, text)]:
            if self._daemon.pid() is None:
                return said("no daemon runs; the next one finds it")
            if self._clock.monotonic() >= deadline:
                return self._complaint(path) or said(
                    "the daemon has not taken {listed} yet", listed=", ".join(missing)
                )
            pause.wait(_POLL_SECONDS)
        return ""

    def _stands(self, flow: str, path: Path, text: str) -> bool:
        try:
            with self._database.read() as tx:
                found = tx.flows.get(flow)
                if found.removed or found.definition.file != str(path) or found.version_hash is None:
                    return False
                return tx.flows.version_source(found.version_hash) == text
        except NotFound:
            return False

    def _complaint(self, path: Path) -> str:
        with self._database.read() as tx:
            return next((reason_of(one.error) for one in tx.flows.errors() if one.file == str(path)), "")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadDefinition(
            said("a flow file is called like `etl.py`: letters, digits, _ and -, beginning with a letter"),
            file=name,
        )
    return name


def _look_into(path: Path, content: bytes, places: Places) -> FileDefinition:
    """What it will define. It is looked at beside its neighbours, which it may import, under a name that no watcher takes."""
    with unlisted_file(path, content) as draft:
        found = inspect_file(
            draft,
            roots=places.flows,
            timeout=places.inspect_timeout,
            timezone=places.timezone,
            pools=places.pools,
        )
    if isinstance(found, Failure):
        raise BadFlowFile(_as_of(found, draft, path), file=path)
    if not found.flows:
        raise BadDefinition(said("there is no flow in it"), file=path)
    return found


def _as_of(failure: Failure, draft: Path, path: Path) -> Failure:
    """The failure as one of the file that it is to be."""

    def said(text: str) -> str:
        return text.replace(str(draft), str(path)).replace(draft.name, path.name)

    return replace(
        failure,
        file=None if failure.file is None else said(failure.file),
        message=said(failure.message),
        traceback=said(failure.traceback),
    )
