"""Schedules that are written, changed and deleted from outside of the files: each is kept as a file of our own.

What is written was read before by what the daemon reads files with. A schedule in a file that people write stays theirs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.audit import Change
from schedulerd.domain.own_files import OwnFile, etag_of, file_name, file_text, key_at, read_own
from schedulerd.domain.parameters import misfits
from schedulerd.domain.schedule_values import KEYS
from schedulerd.domain.schedules import Caused, Cron, Interval, Once, Reboot, RRule, ScheduleDefinition
from schedulerd.domain.timing import Timing
from schedulerd.errors import BadDefinition, Conflict, NotFound, NotPermitted, SchedulerdError, Stale
from schedulerd.operations.audit import keep_saved
from schedulerd.operations.broken_files import reason_of
from schedulerd.operations.daemon import Daemon
from schedulerd.operations.definition_notes import told_keys
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.own_folder import OwnFolder
from schedulerd.sentences import joined, said
from schedulerd.store.database import Database

OPERATORS_KEYS: Final = frozenset(
    {
        *("name", "flow", "parameters", "enabled"),
        *("cron", "every", "at", "rrule", "after", "states"),
        *("timezone", "day_match", "anchor", "start", "end", "jitter"),
        *("blackout", "blackout_action"),
        *("catchup", "catchup_limit", "catchup_window", "misfire_grace", "overlap", "queue_limit"),
        *("pool", "priority"),
    }
)
"""What says when and with what a flow runs. All else is code, or reaches out of the machine: for admins."""

_UNSAFE: Final = re.compile(r"LD_|PYTHON|BASH_ENV$|ENV$|GCONV_PATH$|PERL5|RUBYOPT|NODE_OPTIONS")
_KEY_OF: Final[Mapping[type, str]] = {Cron: "cron", Interval: "every", Once: "at", RRule: "rrule"}
_NOT_YET: Final = said("the daemon has not read it yet")
_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 8.0


class BadValue(BadDefinition):
    """A key of a schedule is wrong: `key`, empty for the schedule as a whole."""

    def __init__(self, reason: str, *, key: str, file: Path | str, mend: str = "") -> None:
        super().__init__(reason, file=file, mend=mend)
        self.key = key


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a schedule is defined; `own` is the file where it is one of ours, which may be changed from outside."""

    origin: str
    own: OwnFile | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What was written or removed; `waits_for` is why it is not in force yet, empty when it is."""

    name: str
    etag: str = ""
    waits_for: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    """What is in its place, and what the daemon complained of in its file before."""

    definition: ScheduleDefinition
    etag: str
    complaint: str
    deadline: float


class Definitions:
    """Schedules as files of our own; the names of the files follow from those of the schedules."""

    def __init__(self, database: Database, clock: Clock, daemon: Daemon, places: Places | None) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._daemon: Final = daemon
        self._places: Final = places

    @property
    def places(self) -> Places:
        """Where they are. Raises `NotPermitted` where nothing can be written from here."""
        if self._places is None:
            raise NotPermitted(
                said("definitions cannot be written from here"), mend=said("write a file by hand")
            )
        return self._places

    def place(self, name: str) -> Place:
        """Where a schedule in force is defined. Raises `NotFound`."""
        with self._database.read() as tx:
            origin = tx.schedules.get(name).definition.origin
        return Place(origin=origin, own=self._own(name, origin))

    def is_ours(self, definition: ScheduleDefinition) -> bool:
        """Is it kept in a file that may be written anew?"""
        return self._own(definition.name, definition.origin) is not None

    def read(self, values: Mapping[str, Any], *, by: Principal) -> ScheduleDefinition:
        """The schedule that the keys define, whatever it runs. Raises `BadValue`, and `NotPermitted` for keys for admins."""
        _refuse_keys(values, by)
        return self._read(values, self._text(values, by))

    def create(self, values: Mapping[str, Any], *, by: Principal) -> Saved:
        """Save a new schedule. Raises `BadValue`, `NotPermitted`, and `Conflict` where there is one of its name."""
        written = self._write(values, by)
        return written if isinstance(written, Saved) else self._wait(written)

    def create_all(
        self, many: Sequence[Mapping[str, Any]], *, by: Principal
    ) -> "list[Saved | SchedulerdError]":
        """Save new schedules, each for itself: for each what became of it, or what `create` would have raised."""
        written = [self._attempt(values, by) for values in many]
        return [self._wait(one) if isinstance(one, _Written) else one for one in written]

    def change(self, name: str, values: Mapping[str, Any], *, etag: str, by: Principal) -> Saved:
        """Save a schedule anew, which was seen as `etag`; its name stays.

        Raises `BadValue`, `NotPermitted`, `NotFound`, `Conflict` where it is in a file that people write, and `Stale`.
        """
        own = self._seen(name, etag, by)
        if values.get("name") != name:
            raise BadValue(
                said("a schedule keeps its name; make a new one"), key="name", file=file_name(name)
            )
        _refuse_keys(own.values, by)
        _refuse_keys(values, by)
        text = self._text(values, by)
        definition = self._checked(values, text)
        written = self._before(definition, text)
        self._folder().replace(file_name(name), text.encode(), etag=etag)
        self._note("change", name, by, before=own.values, after=values)
        return self._wait(written)

    def delete(self, name: str, *, etag: str, by: Principal) -> Saved:
        """Take a schedule out of force, with its file; its runs stay. Raises as `change` does."""
        own = self._seen(name, etag, by)
        _refuse_keys(own.values, by)
        self._folder().remove(file_name(name), etag=etag)
        self._note("delete", name, by, before=own.values)
        deadline = self._clock.monotonic() + _PATIENCE_SECONDS
        waits_for = self._until(lambda: not self._is_in_force(name), lambda: "", deadline=deadline)
        return Saved(name=name, waits_for=waits_for)

    def _attempt(self, values: Mapping[str, Any], by: Principal) -> "_Written | Saved | SchedulerdError":
        try:
            return self._write(values, by)
        except SchedulerdError as error:
            return error

    def _write(self, values: Mapping[str, Any], by: Principal) -> "_Written | Saved":
        _refuse_keys(values, by)
        text = self._text(values, by)
        definition = self._checked(values, text)
        if (done := self._is_done(values)) is not None:
            return done
        written = self._before(definition, text)
        self._folder().create(file_name(definition.name), text.encode())
        self._note("create", definition.name, by, after=values)
        return written

    def _note(
        self,
        what: str,
        name: str,
        by: Principal,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        change = Change(
            what=f"schedules.{what}",
            target=name,
            before=None if before is None else told_keys(before),
            after=None if after is None else told_keys(after, was=before),
        )
        keep_saved(self._database, by, change, at=self._clock.now())

    def _before(self, definition: ScheduleDefinition, text: str) -> "_Written":
        return _Written(
            definition=definition,
            etag=etag_of(text.encode()),
            complaint=self._complaint(definition),
            deadline=self._clock.monotonic() + _PATIENCE_SECONDS,
        )

    # -- files --------------------------------------------------------------------------------------------------

    def _folder(self) -> OwnFolder:
        if self.places.schedules is None:
            raise NotPermitted(
                said("there is no folder of schedule files"),
                mend=said("name one in the settings: schedules = [...]"),
            )
        return OwnFolder(self.places.schedules, ".toml")

    def _own(self, name: str, origin: str) -> OwnFile | None:
        """The file of this schedule where it is ours and the one that counts."""
        if self._places is None or self._places.schedules is None:
            return None
        folder = self._folder()
        if origin.rpartition(":")[0] != str(folder.path(file_name(name))):
            return None
        content = folder.read(file_name(name))
        own = None if content is None else read_own(content)
        return own if own is not None and own.values.get("name") == name else None

    def _seen(self, name: str, etag: str, by: Principal) -> OwnFile:
        """The file that is to be changed, as who asks has seen it."""
        if not by.may(Role.OPERATOR):
            raise NotPermitted(
                said("this needs the role operator; {name} is {value}", name=by.name, value=by.role.value)
            )
        place = self.place(name)
        if place.own is None:
            raise Conflict(
                said("{name!r} is defined in {origin}, which people write", name=name, origin=place.origin),
                mend=said("change it there: {origin}", origin=place.origin),
            )
        if place.own.etag != etag:
            raise Stale("schedule", name, is_there=True, by=place.own.by, when=place.own.at)
        return place.own

    def _text(self, values: Mapping[str, Any], by: Principal) -> str:
        try:
            text = file_text(values, by=by.name, at=self._clock.now())
            text.encode()
        except ValueError as error:  # a lone surrogate is one, too
            raise BadValue(str(error), key="", file=self._place_of(values)) from error
        return text

    def _checked(self, values: Mapping[str, Any], text: str) -> ScheduleDefinition:
        definition, path = self._read(values, text), self._place_of(values)
        if unsafe := [name for name in definition.environment if _UNSAFE.match(name)]:
            reason = said(
                "`environment`: {unsafe} has other code loaded into programs; it is not taken from here",
                unsafe=unsafe[0],
            )
            raise BadValue(reason, key="environment", file=path)
        self._check_flow(definition, path)
        self._check_ahead(definition, path)
        return definition

    def _read(self, values: Mapping[str, Any], text: str) -> ScheduleDefinition:
        path = self._place_of(values)
        try:
            (definition,) = self.places.reader.schedules(text, path)
        except BadDefinition as error:
            key = key_at(text, error.line) if error.file == str(path) else ""
            raise BadValue(error.reason, key=key, file=path, mend=error.mend) from error
        return definition

    def _place_of(self, values: Mapping[str, Any]) -> Path:
        return self._folder().path(file_name(str(values.get("name", ""))))

    def _check_flow(self, definition: ScheduleDefinition, path: Path) -> None:
        """The flow is there, and takes the parameters; a command is its own."""
        if definition.flow is None:
            return
        try:
            with self._database.read() as tx:
                flow = tx.flows.get(definition.flow)
        except NotFound as error:
            raise BadValue(error.message, key="flow", file=path) from error
        if wrong := misfits(flow.definition.parameters, definition.parameters):
            raise BadValue(joined("; ", wrong), key="parameters", file=path)

    def _check_ahead(self, definition: ScheduleDefinition, path: Path) -> None:
        """It is due some day, where days are what makes it due."""
        when, now = definition.when, self._clock.now()
        if isinstance(when, Reboot | Caused) or not definition.enabled:
            return
        if Timing(definition=definition, first_seen=now).next(now) is None:
            raise BadValue(
                said("it never fires: all its times have passed"), key=_KEY_OF[type(when)], file=path
            )

    def _is_done(self, values: Mapping[str, Any]) -> Saved | None:
        """That just this has been saved, as by two clicks. Raises `Conflict` where the name is taken by something else."""
        name = str(values["name"])
        try:
            place = self.place(name)
        except NotFound:
            return None
        if place.own is not None and place.own.values == values:
            return Saved(name=name, etag=place.own.etag)
        raise Conflict(
            said("there is a schedule {name!r} already, in {origin}", name=name, origin=place.origin),
            mend=said("give the new one another name"),
        )

    # -- coming into force --------------------------------------------------------------------------------------

    def _wait(self, written: "_Written") -> Saved:
        """Until the daemon goes by it, or says something new of why it does not; at most for a while."""
        wanted = written.definition

        def new_complaint() -> str:
            now = self._complaint(wanted)
            return "" if now == written.complaint else now

        waits_for = self._until(lambda: self._stands(wanted), new_complaint, deadline=written.deadline)
        if waits_for == _NOT_YET:
            waits_for = self._complaint(wanted) or _NOT_YET
        return Saved(name=wanted.name, etag=written.etag, waits_for=waits_for)

    def _until(self, is_so: Callable[[], bool], complaint: Callable[[], str], *, deadline: float) -> str:
        """Why it is not so at the deadline (monotonic); empty as soon as it is."""
        pause = Event()
        while not is_so():
            if complained := complaint():
                return complained
            if self._daemon.pid() is None:
                return said("no daemon runs; the next one goes by it")
            if self._clock.monotonic() >= deadline:
                return _NOT_YET
            pause.wait(_POLL_SECONDS)
        return ""

    def _stands(self, wanted: ScheduleDefinition) -> bool:
        try:
            with self._database.read() as tx:
                return tx.schedules.get(wanted.name).definition == wanted
        except NotFound:
            return False

    def _is_in_force(self, name: str) -> bool:
        try:
            with self._database.read() as tx:
                tx.schedules.get(name)
        except NotFound:
            return False
        return True

    def _complaint(self, wanted: ScheduleDefinition) -> str:
        """What the daemon says is wrong with its file, or with the folder of that."""
        file = Path(wanted.origin.rpartition(":")[0])
        with self._database.read() as tx:
            failures = [one.error for one in tx.flows.errors() if Path(one.file) in (file, file.parent)]
        return reason_of(failures[0]) if failures else ""


def _refuse_keys(values: Mapping[str, Any], by: Principal) -> None:
    """What changes more than when a flow runs is for admins."""
    if not by.may(Role.OPERATOR):
        raise NotPermitted(
            said("this needs the role operator; {name} is {value}", name=by.name, value=by.role.value)
        )
    if by.may(Role.ADMIN):
        return
    if beyond := sorted(key for key in values if key in KEYS and key not in OPERATORS_KEYS):
        raise NotPermitted(
            said(
                "`{listed}` need the role admin; {name} is {value}",
                listed="`, `".join(beyond),
                name=by.name,
                value=by.role.value,
            )
        )
