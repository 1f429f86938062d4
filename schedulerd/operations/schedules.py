"""What can be asked about schedules: to see them, to pause and to resume them."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.planning import leave
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Schedule
from schedulerd.errors import Conflict
from schedulerd.operations.audit import keep
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_GOING: Final[Mapping[str, Any]] = {"paused": False}


class Title(NamedTuple):
    """What a schedule is called, and the flow that it runs; empty for a command."""

    name: str
    flow: str


class Schedules:
    """Schedules, as somebody at an edge sees them."""

    def __init__(
        self, database: Database, clock: Clock, *, wake: Callable[[], bool], entropy: Callable[[], int]
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._wake: Final = wake
        self._runs: Final = RunMaker(entropy)

    def get(self, name: str) -> Schedule:
        """The schedule of this name. Raises `NotFound` with names that come near."""
        with self._database.read() as tx:
            return tx.schedules.get(name)

    def pause(self, name: str, *, actor: str, reason: str, by: Principal | None = None) -> Schedule:
        """Have the schedule due no more until it is resumed, and wake the daemon; how it stands then.

        What waits or runs already goes on. Raises `NotFound`, and `Conflict` when it is paused already.
        """
        with self._database.write() as tx:
            paused = self._pause(tx, name, actor=actor, reason=reason, by=by)
        self._wake()
        return paused

    def resume(
        self, name: str, *, by: Principal | None = None, paused_at: datetime | None = None
    ) -> Schedule:
        """Have a paused schedule due again from now on, and wake the daemon; how it stands then.

        The due times of the pause become one skipped row, and are not caught up. Raises `NotFound`, and `Conflict` when
        it is not paused, or with `paused_at` by another pause than the one of that moment.
        """
        with self._database.write() as tx:
            schedule = tx.schedules.get(name)
            if schedule.paused is None:
                raise Conflict(said("{name!r} is not paused", name=name))
            if paused_at not in (None, schedule.paused.at):
                raise _other_than_seen(name)
            resumed = self._resume(tx, schedule, by=by)
        self._wake()
        return resumed

    def pause_flow(
        self, flow: str, *, actor: str, reason: str, by: Principal | None = None
    ) -> "tuple[Schedule, ...]":
        """Pause the schedules of the flow that are not paused yet. Raises `NotFound`, and `Conflict` without any."""
        with self._database.write() as tx:
            going = [one for one in _of_flow(tx, flow) if one.paused is None]
            if not going:
                raise Conflict(said("the flow {flow!r} has no schedule that could be paused", flow=flow))
            paused = [
                self._pause(tx, one.definition.name, actor=actor, reason=reason, by=by) for one in going
            ]
        self._wake()
        return tuple(paused)

    def resume_flow(self, flow: str, *, by: Principal | None = None) -> "tuple[Schedule, ...]":
        """Resume the schedules of the flow that are paused. Raises `NotFound`, and `Conflict` without any."""
        with self._database.write() as tx:
            paused = [one for one in _of_flow(tx, flow) if one.paused is not None]
            if not paused:
                raise Conflict(said("the flow {flow!r} has no schedule that is paused", flow=flow))
            resumed = [self._resume(tx, one, by=by) for one in paused]
        self._wake()
        return tuple(resumed)

    def _pause(
        self, tx: Transaction, name: str, *, actor: str, reason: str, by: Principal | None
    ) -> Schedule:
        now = self._clock.now()
        paused = tx.schedules.pause(name, at=now, by=actor, reason=reason)
        keep(tx, by, Change(what="schedules.pause", target=name, before=_GOING, after=_told(paused)), at=now)
        return paused

    def _resume(self, tx: Transaction, schedule: Schedule, *, by: Principal | None) -> Schedule:
        now, name = self._clock.now(), schedule.definition.name
        keep(
            tx, by, Change(what="schedules.resume", target=name, before=_told(schedule), after=_GOING), at=now
        )
        left = leave(schedule, now=now, reason=SkipReason.PAUSED)
        if schedule.paused is None or not tx.schedules.resume(
            schedule.key,
            paused_at=schedule.paused.at,
            watermark=left.watermark,
            next_due=left.next_due,
            last_due=left.last_due,
        ):
            raise _other_than_seen(name)
        tx.runs.add(self._runs.planned(schedule, left, now=now))
        return tx.schedules.get(name)

    def titles(self) -> "tuple[Title, ...]":
        """The schedules in force with little of each; for whoever looks for some of very many. In no order."""
        with self._database.read() as tx:
            return tuple(Title(*one) for one in tx.schedules.titles())

    def named(self, names: Collection[str]) -> "tuple[Schedule, ...]":
        """Those of these schedules that are in force, by name."""
        with self._database.read() as tx:
            return tuple(sorted(tx.schedules.all(named=names), key=lambda one: one.definition.name))

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> "tuple[Schedule, ...]":
        """The schedules in force, by name."""
        with self._database.read() as tx:
            return tuple(tx.schedules.all())


def _told(schedule: Schedule) -> Mapping[str, Any]:
    """How it stands, for the audit."""
    pause = schedule.paused
    return _GOING if pause is None else {"paused": True, "reason": pause.reason, "by": pause.by}


def _other_than_seen(name: str) -> Conflict:
    return Conflict(
        said("the {kind} {name!r} was changed meanwhile", kind=said("schedule"), name=name),
        mend=said("read it again, and decide anew"),
    )


def _of_flow(tx: Transaction, name: str) -> list[Schedule]:
    flow = tx.flows.get(name)
    return tx.schedules.all(of=[flow.key])
