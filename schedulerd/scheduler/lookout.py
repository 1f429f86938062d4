"""Looks for runs that wait for too long, and for those that take unusually long; each is told once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from schedulerd.domain.notice_texts import span_text
from schedulerd.domain.notices import Happening, NoticeKind, NoticeRule
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database

LOOK_SECONDS: Final = 5.0
FEWEST: Final = 10
"""So many completed runs tell how long a flow usually takes."""


class Lookout:
    """For rules that want to be told of runs that are late or slow; without one it does nothing."""

    def __init__(self, database: Database, rules: Sequence[NoticeRule]) -> None:
        self._database: Final = database
        self._late: Final = [rule.late_after for rule in rules if NoticeKind.LATE in rule.on]
        self._slow: Final = [rule.slow_least for rule in rules if NoticeKind.SLOW in rule.on]
        self._looked_at = float("-inf")

    def look(self, now: datetime, monotonic: float) -> None:
        """Look, when it is time. Raises `StoreUnavailable`."""
        if monotonic - self._looked_at < LOOK_SECONDS or not (self._late or self._slow):
            return
        self._looked_at = monotonic
        found = self._find(now)
        if found:
            with self._database.write() as tx:
                tx.notices.tell(found)

    def _find(self, now: datetime) -> list[Happening]:
        with self._database.read() as tx:
            late = tx.runs.late(now - min(self._late)) if self._late else []
            waits = tx.waiting.told(late, now=now) if late else {}
            going = [run for run in tx.runs.live() if self._may_be_slow(run, now)] if self._slow else []
            took = {run.flow_key: tx.runs.took(run.flow_key) for run in going}
            tags = (
                {flow.key: flow.definition.tags for flow in tx.flows.all(removed=True)}
                if late or going
                else {}
            )
        return [
            *(_late(run, tags[run.flow_key], waits.get(run.key, ""), now=now) for run in late),
            *(
                _slow(run, tags[run.flow_key], median(took[run.flow_key]), now=now)
                for run in going
                if len(took[run.flow_key]) >= FEWEST
            ),
        ]

    def _may_be_slow(self, run: Run, now: datetime) -> bool:
        took = run.duration(now=now)
        return run.state is RunState.RUNNING and took is not None and took >= min(self._slow)


def _late(run: Run, tags: Sequence[str], waits: str, *, now: datetime) -> Happening:
    delay = now - run.due_at
    why = f"; it {waits}" if waits else ""
    return Happening(
        kind=NoticeKind.LATE,
        at=now,
        subject=run.selector,
        words=f"has not started {span_text(delay)} after it was due{why}",
        flows={run.flow: tags},
        run=run.key,
        mark=f"late {run.key}",
        delay=delay,
    )


def _slow(run: Run, tags: Sequence[str], usual_seconds: float, *, now: datetime) -> Happening:
    usual = timedelta(seconds=usual_seconds)
    took = run.duration(now=now) or timedelta()
    return Happening(
        kind=NoticeKind.SLOW,
        at=now,
        subject=run.selector,
        words=f"has run for {span_text(took)}; usually it takes {span_text(usual)}",
        flows={run.flow: tags},
        run=run.key,
        mark=f"slow {run.key} {run.attempt}",
        delay=took,
        usual=usual,
    )
