"""Puts schedules in force in parts, of which the first is written together with the flows."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.bundles import Bundle
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.enforcing import Enforcer
from schedulerd.scheduler.known_flows import KnownFlows
from schedulerd.scheduler.outstanding import read_outstanding, write_outstanding
from schedulerd.scheduler.standing import NOTHING, Change, Part, Standing
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """How a change begins: it counts when the transaction that it was written in has been committed."""

    change: Change
    outstanding: dict[str, datetime]
    first: Part
    rest: Iterator[Part]


class Rollout:
    """What the database has of the schedules, and what is still to come.

    Which schedules are outstanding, and since when they are known, is written with the first part: a daemon that ends between two
    parts leaves no due time undecided.
    """

    def __init__(self, database: Database, clock: Clock, enforcer: Enforcer, flows: KnownFlows) -> None:
        """`flows` is told that commands may have become others."""
        self._database: Final = database
        self._clock: Final = clock
        self._enforcer: Final = enforcer
        self._flows: Final = flows
        self._standing = Standing(frozenset())
        self._parts: Iterator[Part] = iter(())
        self._part: Part | None = None
        self._outstanding: dict[str, datetime] = {}

    def load(self, tx: Transaction) -> None:
        """Begin with what the database has."""
        self._standing = Standing.of(tx)

    @property
    def is_under_way(self) -> bool:
        """Is there a part that has not been written?"""
        return self._part is not None

    def has(self, name: str) -> bool:
        """Is there a schedule of this name, in force or on its way?"""
        return self._standing.has(name)

    def change_to(self, wanted: Mapping[str, Bundle]) -> Change:
        """What is to be done so that these are in force and no others."""
        return self._standing.change_to(wanted)

    def put_first(
        self, tx: Transaction, change: Change, first: Sequence[ScheduleDefinition] | None, *, now: datetime
    ) -> Stage:
        """Write the part that has `first` in it, or where there is to be none an empty one. What is new is seen now, whenever it
        is written. The names that are gone have been taken out of force."""
        outstanding = dict.fromkeys(change.fresh, now) | self._left_over(tx, change)
        parts = change.parts(first or ())
        part = NOTHING if first is None else next(parts)
        self._put(tx, part.definitions, outstanding)
        write_outstanding(tx, {name: outstanding[name] for name in outstanding.keys() - part.names})
        return Stage(change=change, outstanding=outstanding, first=part, rest=parts)

    def begun(self, stage: Stage) -> None:
        """The first part is in the database. What was under way before is not any more."""
        self._standing.begin(stage.change)
        self._outstanding, self._parts = stage.outstanding, stage.rest
        self._done(stage.first)

    def go_on(self) -> None:
        """Write the next part, if there is one. A schedule that cannot be written is refused, and keeps back no other."""
        if self._part is None:
            return
        try:
            with self._database.write() as tx:
                self._put(tx, self._part.definitions, self._outstanding)
                self._note_end(tx, self._part)
        except StoreUnavailable:
            raise
        except Exception:  # border: it is not known which of them it is; that one must not stop the others
            log.exception("part_failed", extra={"schedules": len(self._part.definitions)})
            self._put_singly(self._part)
        self._done(self._part)

    def _put_singly(self, part: Part) -> None:
        for definition in part.definitions:
            try:
                with self._database.write() as tx:
                    self._put(tx, [definition], self._outstanding)
            except StoreUnavailable:
                raise
            except Exception as error:  # border: as above
                self._enforcer.refuse(definition, error)
        with self._database.write() as tx:
            self._note_end(tx, part)

    def _put(
        self, tx: Transaction, definitions: Sequence[ScheduleDefinition], outstanding: Mapping[str, datetime]
    ) -> None:
        self._flows.forget_commands()  # here: whether what is written now is in the database is not known when that fails
        self._enforcer.put(tx, definitions, now=self._clock.now(), since=outstanding)

    def _left_over(self, tx: Transaction, change: Change) -> dict[str, datetime]:
        """What was outstanding before this change, also to a daemon before this one, and still is."""
        return {
            name: since
            for name, since in read_outstanding(tx).items()
            if name in change.names and (name in self._outstanding or not self._standing.has(name))
        }

    def _note_end(self, tx: Transaction, part: Part) -> None:
        if self._outstanding.keys() <= part.names:
            write_outstanding(tx, {})

    def _done(self, part: Part) -> None:
        """The part is in the database."""
        self._standing.done(part)
        for name in part.names:
            self._outstanding.pop(name, None)
        self._part = next(self._parts, None)
