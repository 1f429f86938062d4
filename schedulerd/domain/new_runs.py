"""Makes the values of runs to be recorded: their ids, and what a schedule says of them."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from schedulerd.domain.causes import Cause
from schedulerd.domain.due import Due
from schedulerd.domain.ids import RANDOM_BITS, FlowKey, RunId, ScheduleKey, uuid7
from schedulerd.domain.planning import Plan, Skip, SkipSpan
from schedulerd.domain.runs import NewRun, SkipReason, Trigger
from schedulerd.domain.schedules import Schedule, ScheduleDefinition
from schedulerd.domain.states import RunState

_CRONTAB: Final = ".crontab:"


class RunMaker:
    """Turns what was decided about due times into runs to be recorded."""

    def __init__(self, entropy: Callable[[], int] = lambda: secrets.randbits(RANDOM_BITS)) -> None:
        self._entropy = entropy

    def planned(self, schedule: Schedule, plan: Plan, *, now: datetime) -> list[NewRun]:
        """The runs of a plan: those that start, then a row for each skip and each span of skips."""
        definition, key, flow = schedule.definition, schedule.key, schedule.flow_key
        return [
            *(
                self._run(definition, key, flow, due, now=now, caught_up=place < plan.caught_up)
                for place, due in enumerate(plan.starts)
            ),
            *(self.skipped(definition, key, flow, skip, now=now) for skip in plan.skips),
            *(self._span(definition, key, flow, span, now=now) for span in plan.spans),
        ]

    def skipped(
        self, definition: ScheduleDefinition, key: ScheduleKey, flow: FlowKey, skip: Skip, *, now: datetime
    ) -> NewRun:
        """The row of one due time that does not become a run."""
        return self._run(definition, key, flow, skip.due, now=now, state=RunState.SKIPPED, reason=skip.reason)

    def booted(
        self, schedule: Schedule, boot_id: str, *, now: datetime, reason: SkipReason | None = None
    ) -> NewRun:
        """The run of a `@reboot` for this start of the machine; with a reason, the row which says that it does not run.

        Its slot is that of the boot: there is one of them, however often this is asked.
        """
        definition, key, flow = schedule.definition, schedule.key, schedule.flow_key
        due = Due(at=now, slot=f"@reboot {boot_id}")
        if reason is None:
            return self._run(definition, key, flow, due, now=now)
        return self.skipped(definition, key, flow, Skip(due=due, reason=reason), now=now)

    def caused(self, schedule: Schedule, cause: Cause, *, now: datetime, reason: SkipReason | None) -> NewRun:
        """The run of a cause; with a reason, the row which says that it does not run. Its slot is the cause's mark."""
        definition, due = schedule.definition, Due(at=now, slot=cause.mark)
        state = RunState.SCHEDULED if reason is None else RunState.SKIPPED
        run = self._run(
            definition, schedule.key, schedule.flow_key, due, now=now, state=state, reason=reason or ""
        )
        return replace(run, trigger=cause.trigger, parameters={**definition.parameters, **cause.parameters})

    def _span(
        self,
        definition: ScheduleDefinition,
        key: ScheduleKey,
        flow: FlowKey,
        span: SkipSpan,
        *,
        now: datetime,
    ) -> NewRun:
        reason = f"{span.reason}: {span.count} due times from {span.first.slot} to {span.last.slot}"
        return self._run(definition, key, flow, span.last, now=now, state=RunState.SKIPPED, reason=reason)

    def _run(
        self,
        definition: ScheduleDefinition,
        key: ScheduleKey,
        flow: FlowKey,
        due: Due,
        *,
        now: datetime,
        state: RunState = RunState.SCHEDULED,
        reason: str = "",
        caught_up: bool = False,
    ) -> NewRun:
        return NewRun(
            id=RunId(uuid7(now, entropy=self._entropy())),
            flow=flow,
            created_at=now,
            trigger=Trigger.CRONTAB if _CRONTAB in definition.origin else Trigger.SCHEDULE,
            due_at=due.at,
            state=state,
            reason=reason,
            schedule=key,
            slot=due.slot,
            parameters=definition.parameters,
            caught_up=caught_up,
            pool=definition.pool,
            priority=definition.priority,
        )
