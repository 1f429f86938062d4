"""What can be asked about limits with a name: people set them, runs take slots of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.named_limits import LimitUse, NamedLimit, check_limit
from schedulerd.domain.questions import AskedQuestion
from schedulerd.domain.variables import check_name
from schedulerd.errors import BadParameters, Conflict, NotFound
from schedulerd.operations.audit import keep
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

TAKE: Final = "slot.take"
_MOST_NAMES: Final = 32


class NamedLimits:
    """Limits, as somebody at an edge sees them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def set(
        self, name: str, slots: int, *, per_second: float | None = None, by: Principal | None = None
    ) -> LimitUse:
        """Set a limit, new or not; who holds slots goes on. Raises `BadParameters`."""
        check_name(name, what="limit")
        check_limit(slots, per_second)
        now = self._clock.now()
        with self._database.write() as tx:
            was = tx.named_limits.find(name)
            level = 0.0 if was is None else was.taken(now=now)
            made = NamedLimit(name=name, slots=slots, per_second=per_second, level=level, level_at=now)
            tx.named_limits.put(made)
            keep(tx, by, Change(what="limits.set", target=name, before=_told(was), after=_told(made)), at=now)
            return next(one for one in tx.named_limits.all() if one.limit.name == name)

    def unset(self, name: str, *, by: Principal | None = None) -> None:
        """Remove a limit: code that names it waits for nothing. Raises `NotFound`."""
        with self._database.write() as tx:
            was = tx.named_limits.get(name)
            tx.named_limits.remove(name)
            keep(tx, by, Change(what="limits.delete", target=name, before=_told(was)), at=self._clock.now())

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> list[LimitUse]:
        """All limits, by name."""
        with self._database.read() as tx:
            return tx.named_limits.all()


def _told(limit: NamedLimit | None) -> Mapping[str, Any] | None:
    """What it is, for the audit."""
    return None if limit is None else {"slots": limit.slots, "per_second": limit.per_second}


def take_slots(
    tx: Transaction, asked: AskedQuestion, waiting: set[str], *, now: datetime
) -> Mapping[str, Any] | None:
    """Give the attempt the slots that it asks for: all of them, or none yet (None).

    `waiting` are the names that somebody who asked before waits for: they are first; who must wait now adds to it.
    Raises `NotFound` for a limit that is not there and must be, `BadParameters` and `Conflict` for what can never be.
    """
    body = asked.question.body
    names, occupy, is_rate = _names(body), int(body["occupy"]), bool(body.get("rate"))
    found = {name: tx.named_limits.find(name) for name in names}
    missing = [name for name, limit in found.items() if limit is None]
    if missing and body.get("strict"):
        raise NotFound("limit", missing[0], mend=f"`schedulerd limits set {missing[0]} 1` makes it")
    limits = [limit for limit in found.values() if limit is not None]
    _check(limits, occupy, is_rate=is_rate)
    if not waiting.isdisjoint(names) or not _take(tx, asked, limits, occupy, now=now):
        waiting.update(names)
        return None
    return {"missing": missing}


def _names(body: Mapping[str, Any]) -> list[str]:
    names = [check_name(name, what="limit") for name in dict.fromkeys(body["names"])]
    if len(names) > _MOST_NAMES:
        raise BadParameters(f"at most {_MOST_NAMES} limits can be named at once")
    if not int(body["occupy"]) >= 1:
        raise BadParameters(f"occupy has to be 1 or more, not {body['occupy']}")
    return names


def _check(limits: list[NamedLimit], occupy: int, *, is_rate: bool) -> None:
    for limit in limits:
        if 0 < limit.slots < occupy:
            raise BadParameters(
                f"the limit {limit.name!r} has {limit.slots} slots: {occupy} can never be had"
            )
        if is_rate and not limit.is_rate:
            raise Conflict(
                f"{limit.name!r} is no limit by time",
                mend=f"`schedulerd limits set {limit.name} {limit.slots} --per-second N`, or use concurrency()",
            )
        if limit.is_rate and not is_rate:
            raise Conflict(f"{limit.name!r} is a limit by time", mend="use rate_limit()")


def _take(
    tx: Transaction, asked: AskedQuestion, limits: list[NamedLimit], occupy: int, *, now: datetime
) -> bool:
    after = []
    for limit in limits:
        if limit.is_rate:
            taken = limit.with_taken(occupy, now=now)
            if taken is None:
                return False
            after.append(taken)
        elif tx.named_limits.taken(limit.name) + occupy > limit.slots:
            return False
    for taken in after:
        tx.named_limits.put(taken)
    held = [limit.name for limit in limits if not limit.is_rate]
    if held:
        tx.named_limits.hold(asked, held, occupy)
    return True
