"""What can be asked by a webhook: that the flow of its schedule runs, by whoever knows its secret."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from schedulerd.clock import Clock
from schedulerd.domain.causes import cause_of_call, outcome
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.parameters import check_parameters, require_storable
from schedulerd.domain.runs import NewRun, Run
from schedulerd.domain.schedules import Schedule, Webhook
from schedulerd.errors import (
    BadParameters,
    Conflict,
    NotFound,
    NotPermitted,
    SchedulerdError,
    StoreUnavailable,
)
from schedulerd.operations.sealing import KeyRing
from schedulerd.operations.secrets import SecretBox
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

SHORTEST_SECRET: Final = 16
"""A secret of fewer characters can be guessed: no call is let in by it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call of a webhook. `digest` is of the secret that it showed, and `key` what tells it from others when it is
    made again."""

    hook: str
    digest: bytes
    body: Any = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """What came of a call: its run, or None where that was removed since. `is_new` is False for a call made again."""

    run: Run | None
    is_new: bool


def digest_of(secret: str) -> bytes:
    """What secrets are compared by, whatever their lengths."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class Webhooks:
    """The webhooks of the schedules in force."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keys: KeyRing,
        *,
        wake: Callable[[], bool],
        entropy: Callable[[], int],
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._box: Final = SecretBox(keys)
        self._wake: Final = wake
        self._runs: Final = RunMaker(entropy)

    def digests(self) -> Mapping[str, bytes]:
        """By what a call of each webhook is let in; one that has no good secret is left out. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            known = {_when(one).hook: self._digest(tx, one) for one in tx.schedules.caused_by("webhook")}
        return {hook: digest for hook, digest in known.items() if digest is not None}

    def require_good_secret(self, name: str) -> None:
        """Raise `NotFound`, `BadParameters` and as `KeyRing.seal` does, unless it is one by which callers may be let in."""
        with self._database.read() as tx:
            _good_secret(tx, self._box, name)

    def call(self, call: Call) -> Called:
        """Record the run that is asked for, and wake the daemon. It is there when this returns.

        Raises `NotPermitted` for a webhook that is not there and for a secret that is not its, alike; `BadParameters` for a
        body that does not fit; `Conflict` for a key that belongs to another call; and `StoreUnavailable`: a call with a key may
        then be made again.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            schedule = self._let_in(tx, call)
            cause = cause_of_call(schedule, call.body, call=call.key or uuid4().hex)
            new = self._runs.caused(schedule, cause, now=now, reason=outcome(schedule))
            _require_fit(tx, schedule, new)
            if call.key is not None:
                if tx.causes.known(schedule.key, [cause.mark]):
                    return Called(run=_made_before(tx, schedule, new), is_new=False)
                tx.causes.decided(schedule.key, [cause], at=now)
            tx.schedules.touched(schedule.key, last_due=now)
            (key,) = tx.runs.add([new])
            assert key is not None  # its slot is the mark, which nobody had
            run = tx.runs.by_key(key)
        self._wake()
        return Called(run=run, is_new=True)

    def _let_in(self, tx: Transaction, call: Call) -> Schedule:
        """The schedule whose webhook is called, by somebody who may."""
        for schedule in tx.schedules.caused_by("webhook"):
            if _when(schedule).hook == call.hook:
                digest = self._digest(tx, schedule)
                if digest is not None and hmac.compare_digest(digest, call.digest):
                    return schedule
        raise NotPermitted("there is no such webhook, or this is not its secret")

    def _digest(self, tx: Transaction, schedule: Schedule) -> bytes | None:
        try:
            return digest_of(_good_secret(tx, self._box, _when(schedule).secret))
        except StoreUnavailable:
            raise
        except SchedulerdError:
            return None


def shut(tx: Transaction, box: SecretBox) -> list[str]:
    """Which webhooks of the schedules in force let nobody in, and why, for people. Raises `StoreUnavailable`."""
    faults = []
    for schedule in tx.schedules.caused_by("webhook"):
        when = _when(schedule)
        try:
            _good_secret(tx, box, when.secret)
        except StoreUnavailable:
            raise
        except SchedulerdError as error:
            faults.append(
                f"webhook {when.hook!r} of schedule {schedule.definition.name!r} lets nobody in: {error.message}"
            )
    return faults


def _good_secret(tx: Transaction, box: SecretBox, name: str) -> str:
    """The secret, by which callers may be let in.

    Raises `NotFound`, `BadParameters` for one that is none for a webhook, and as `KeyRing.seal` does.
    """
    secret = box.open(tx, name, tx.secrets.get(name).sealed)
    if not isinstance(secret, str):
        raise BadParameters(f"the secret {name!r} is no text")
    if len(secret) < SHORTEST_SECRET:
        raise BadParameters(f"the secret {name!r} is shorter than {SHORTEST_SECRET} characters")
    return secret


def _when(schedule: Schedule) -> Webhook:
    when = schedule.definition.when
    assert isinstance(when, Webhook)
    return when


def _require_fit(tx: Transaction, schedule: Schedule, new: NewRun) -> None:
    """Raise `BadParameters` unless the flow takes what it is given."""
    if schedule.definition.flow is not None:
        flow = tx.flows.get(schedule.definition.flow)
        require_storable(flow.definition.name, flow.definition.parameters, new.parameters)
        check_parameters(flow.definition.name, flow.definition.parameters, new.parameters)


def _made_before(tx: Transaction, schedule: Schedule, new: NewRun) -> Run | None:
    """The run that a call with this key has made. Raises `Conflict` where that call said something else."""
    assert new.slot is not None
    try:
        run = tx.runs.by_slot(schedule.key, new.slot)
    except NotFound:  # pruned
        return None
    if dict(run.parameters) != dict(new.parameters):
        raise Conflict(
            f"the key belongs to a call with another body, whose run is {run.selector}",
            mend="give each call a key of its own",
        )
    return run
