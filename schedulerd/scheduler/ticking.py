"""The tick: due times become runs or recorded skips, and due runs are claimed, in one transaction."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.agents import Drain
from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.planning import plan
from schedulerd.domain.results import Result
from schedulerd.domain.runs import NewRun, Run, SkipReason
from schedulerd.domain.schedules import Schedule
from schedulerd.scheduler.causes import CauseDesk
from schedulerd.scheduler.schedule_troubles import ScheduleTroubles
from schedulerd.store.database import Database
from schedulerd.store.schedule_rows import Advance
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_BATCH: Final = 200
_AN_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked:
    """The runs claimed by a tick, the next due time, whether there is more to do at once, and whether a run is to end.

    Of the latter are those that others replace, and those that people want cancelled. `known` is what tasks of claimed
    runs came to in earlier attempts. `drain`: that of the agent, which kept it from claiming any. With `waits` there may be
    runs that become due, or find a place, without anybody saying so.
    """

    claimed: Sequence[Run]
    known: Mapping[RunKey, Sequence[Result]]
    next_due: datetime | None
    more: bool
    has_wishes: bool
    waits: bool
    drain: Drain | None = None


class Ticker:
    """Decides due times and takes due runs, for one agent."""

    def __init__(
        self,
        database: Database,
        runs: RunMaker,
        causes: CauseDesk,
        troubles: ScheduleTroubles,
        *,
        agent: str,
        boot_id: str,
        limits: Limits,
    ) -> None:
        self._database = database
        self._runs = runs
        self._causes = causes
        self._troubles = troubles
        self._agent = agent
        self._boot_id = boot_id
        self._limits = limits

    @property
    def agent(self) -> str:
        """The agent that it takes runs for."""
        return self._agent

    def tick(self, *, now: datetime, plan_due: bool, may_start: bool = True) -> Ticked:
        """One step. With `plan_due` false (the files have not been read yet) only runs that are there are claimed.

        With `may_start` false due times are decided, and no run is claimed; so too while the agent is drained: after the
        transaction that drains it nothing is.

        Raises `StoreUnavailable`: nothing was decided, or, after a commit of unknown outcome, what was decided is found
        again by the next tick and by reconciliation.
        """
        with self._database.write() as tx:
            due = tx.schedules.due(now, limit=_BATCH) if plan_due else []
            new = self._plan(tx, due, now=now)
            more_causes = False
            if plan_due:
                new += self._decide_boot(tx, now=now)
                caused, more_causes = self._causes.decide(tx, now=now)
                new += caused
            if new:
                tx.runs.add(new)
            drain = tx.agents.drain_of(self._agent)
            starts = may_start and drain is None
            limits = self._limits if starts else replace(self._limits, max_running=0)
            claimed = tx.runs.claim(_BATCH, now=now, agent=self._agent, boot_id=self._boot_id, limits=limits)
            known = {run.key: tx.results.of_tasks(run.key) for run in claimed if run.attempt > 1}
            next_due = _first(tx.schedules.next_due(), tx.runs.next_retry(now))
            has_wishes = bool(tx.runs.cancel_wishes())
            waits = bool(claimed) or tx.runs.some_wait()
        if plan_due:
            self._causes.committed()
        more = more_causes or len(due) == _BATCH or len(claimed) == _BATCH
        return Ticked(
            claimed=claimed,
            known=known,
            next_due=next_due,
            more=more,
            has_wishes=has_wishes,
            waits=waits,
            drain=drain,
        )

    def _plan(self, tx: Transaction, due: Sequence[Schedule], *, now: datetime) -> list[NewRun]:
        """What becomes of all due times until now, of which the schedules are told."""
        planned = [self._plan_one(schedule, now=now) for schedule in due]
        tx.schedules.advance_all(advance for advance, _ in planned)
        return [run for _, runs in planned for run in runs]

    def _plan_one(self, schedule: Schedule, *, now: datetime) -> tuple[Advance, list[NewRun]]:
        name = schedule.definition.name
        try:
            decided = plan(schedule, now=now)
        except Exception as error:  # border: one bad schedule must not stop the rest
            log.exception("plan_failed", extra={"schedule": name})
            until = now + _AN_HOUR
            self._troubles.put_off(name, error, until=until)
            put_off = Advance(key=schedule.key, watermark=schedule.watermark, next_due=until, last_due=None)
            return put_off, []
        self._troubles.decided(name)
        advance = Advance(
            key=schedule.key,
            watermark=decided.watermark,
            next_due=decided.next_due,
            last_due=decided.last_due,
        )
        return advance, self._runs.planned(schedule, decided, now=now)

    def _decide_boot(self, tx: Transaction, *, now: datetime) -> list[NewRun]:
        """What becomes of the `@reboot` schedules that have not seen this start of the machine yet: one run for each."""
        new = []
        for schedule in tx.schedules.not_booted(self._boot_id):
            enabled = schedule.definition.enabled
            tx.schedules.set_boot(schedule.key, self._boot_id, last_due=now if enabled else None)
            if enabled:
                reason = SkipReason.PAUSED if schedule.paused is not None else None
                new.append(self._runs.booted(schedule, self._boot_id, now=now, reason=reason))
        return new


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
