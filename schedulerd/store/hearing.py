"""Hears of what becomes of runs while it is written, and writes beside it what people and monitors are to be told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.notice_texts import span_text
from schedulerd.domain.notices import MISSES, OF_STATE, Happening, NoticeKind, NoticeRule
from schedulerd.domain.runs import Run, SkipReason
from schedulerd.domain.states import BAD, RunState
from schedulerd.store.notices import Notices
from schedulerd.store.pings import Came, Pings
from schedulerd.store.tables import AnyRow, flows, moves, runs, schedules

_PAGE: Final = 500
_LOOKED_BACK: Final = 200
_KEYS: Final[Any] = bindparam("keys", expanding=True)
_FACTS: Final = (
    select(
        runs.c.id,
        runs.c.number,
        runs.c.flow_id,
        runs.c.schedule_id,
        runs.c.reason,
        runs.c.due_at,
        flows.c.name.label("flow"),
        schedules.c.name.label("schedule"),
    )
    .select_from(
        runs.join(flows, flows.c.id == runs.c.flow_id).outerjoin(
            schedules, schedules.c.id == runs.c.schedule_id
        )
    )
    .where(runs.c.id.in_(_KEYS))
    .order_by(runs.c.id)
)
_FLOWS: Final = select(flows.c.id, flows.c.definition).where(flows.c.id.in_(_KEYS))
_BEFORE: Final = (
    select(runs.c.id, runs.c.state)
    .where(runs.c.flow_id == bindparam("flow"), runs.c.id < bindparam("run"))
    .order_by(runs.c.id.desc())
    .limit(_LOOKED_BACK)
    .subquery()
)
_LAST: Final = (
    select(_BEFORE.c.state)
    .where(_BEFORE.c.state.in_([state.value for state in (RunState.COMPLETED, *sorted(BAD))]))
    .order_by(_BEFORE.c.id.desc())
    .limit(1)
)
_WAS_BAD: Final = (
    select(moves.c.number).where(moves.c.run_id == bindparam("run"), moves.c.to.in_(sorted(BAD))).limit(1)
)


class Hearing:
    """Called by the nouns of the store in which runs change; with no rules it only sees to the monitors."""

    def __init__(
        self, connection: Connection, notices: Notices, pings: Pings, rules: Sequence[NoticeRule]
    ) -> None:
        self._connection: Final = connection
        self._notices: Final = notices
        self._pings: Final = pings
        self._wanted: Final = frozenset[NoticeKind]().union(*(rule.on for rule in rules))

    def came(self, changes: Sequence[Came]) -> None:
        """Runs came to these states."""
        told = [change for change in changes if self._is_wanted(change[1])]
        if told:
            self._notices.tell(self._happenings(told))
        self._pings.tell(changes)

    def skipped(self, keys: Sequence[RunKey], *, at: datetime) -> None:
        """These due times did not become runs; those of a schedule with the same reason are one thing to tell."""
        if not keys or NoticeKind.MISSED not in self._wanted:
            return
        rows = [row for row in self._facts(keys) if _reason(row) in MISSES]
        tags = self._tags(rows)
        ordered = sorted(rows, key=lambda row: (row.schedule or "", row.reason))
        for _, group in groupby(ordered, key=lambda row: (row.schedule, _reason(row))):
            self._notices.tell([_missed(list(group), tags, at=at)])

    def claimed(self, claimed: Sequence[Run], *, now: datetime) -> None:
        """These runs are started; some of them may be late."""
        if NoticeKind.LATE not in self._wanted:
            return
        late = [run for run in claimed if run.attempt == 1 and run.schedule is not None and run.due_at < now]
        if late:
            tags = self._tags_of([run.flow_key for run in late])
            self._notices.tell([_late(run, tags[run.flow_key], now=now) for run in late])

    def _is_wanted(self, state: RunState) -> bool:
        if state is RunState.COMPLETED and NoticeKind.RECOVERED in self._wanted:
            return True
        return OF_STATE.get(state) in self._wanted

    def _happenings(self, changes: Sequence[Came]) -> Iterable[Happening]:
        facts = {row.id: row for row in self._facts([key for key, _, _ in changes])}
        tags = self._tags(facts.values())
        for key, state, at in changes:
            row = facts[key]
            happened = Happening(
                kind=OF_STATE[state],
                at=at,
                subject=f"{row.flow}#{row.number}",
                words=row.reason,
                flows={row.flow: tags[row.flow_id]},
                run=key,
                unless=NoticeKind.RECOVERED if self._has_recovered(row, state) else None,
            )
            yield happened
            if happened.unless is not None:
                yield Happening(
                    kind=happened.unless, at=at, subject=happened.subject, flows=happened.flows, run=key
                )

    def _has_recovered(self, row: AnyRow, state: RunState) -> bool:
        """Did this run complete after one of its flow, or an earlier try of its own, had ended badly?"""
        if state is not RunState.COMPLETED or NoticeKind.RECOVERED not in self._wanted:
            return False
        if self._connection.execute(_WAS_BAD, {"run": row.id}).first() is not None:
            return True
        before = self._connection.scalar(_LAST, {"run": row.id, "flow": row.flow_id})
        return before is not None and RunState(before) in BAD

    def _facts(self, keys: Sequence[RunKey]) -> list[AnyRow]:
        pages = (keys[start : start + _PAGE] for start in range(0, len(keys), _PAGE))
        return [row for page in pages for row in self._connection.execute(_FACTS, {"keys": list(page)})]

    def _tags(self, rows: Iterable[AnyRow]) -> Mapping[int, Sequence[str]]:
        return self._tags_of([row.flow_id for row in rows])

    def _tags_of(self, keys: Iterable[int]) -> Mapping[int, Sequence[str]]:
        found = self._connection.execute(_FLOWS, {"keys": sorted(set(keys))})
        return {row.id: row.definition.tags for row in found}


def _reason(row: AnyRow) -> SkipReason | None:
    """Why a due time was skipped; None for a reason that this version does not know."""
    word = row.reason.partition(":")[0]
    return SkipReason(word) if word in list(SkipReason) else None


def _missed(rows: list[AnyRow], tags: Mapping[int, Sequence[str]], *, at: datetime) -> Happening:
    last = max(rows, key=lambda row: (row.due_at, row.id))
    several = f"{len(rows)} due times from {min(row.due_at for row in rows):%Y-%m-%d %H:%M:%S} UTC: "
    whole = last.reason.partition(": ")[2]  # many at once are one row, which says how many
    counted = f"{whole}: " if whole else several if len(rows) > 1 else ""
    return Happening(
        kind=NoticeKind.MISSED,
        at=at,
        subject=last.schedule or last.flow,
        words=counted + MISSES[SkipReason(last.reason.partition(":")[0])],
        flows={last.flow: tags[last.flow_id]},
        run=RunKey(last.id),
    )


def _late(run: Run, tags: Sequence[str], *, now: datetime) -> Happening:
    delay = now - run.due_at
    return Happening(
        kind=NoticeKind.LATE,
        at=now,
        subject=run.selector,
        words=f"started {span_text(delay)} after it was due",
        flows={run.flow: tags},
        run=run.key,
        mark=f"late {run.key}",
        delay=delay,
    )
